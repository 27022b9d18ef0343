//go:build unix

package lab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

// failover is what a client sees of three users, when the member with one of them is
// killed at 2 s.
func failover() *witness.Report {
	r := &witness.Report{
		Since: start, Until: at(5000), Users: 3, Epoch: 8, Members: []string{"member-1", "member-3"},
		Homes:   map[string]string{"1": "member-1", "2": "member-1", "3": "member-3"},
		Outages: []witness.Outage{{User: "2", From: at(2100), To: at(3200)}},
		Views:   []witness.View{{At: at(3000), Epoch: 8, Members: []string{"member-1", "member-3"}}},
	}
	for ms := 0; ms < 5000; ms += 250 {
		c := witness.Cell{At: at(ms), Answers: map[string]int{"member-1": 1, "member-2": 1, "member-3": 1}, Counts: witness.Counts{Answered: 3, Recorded: 1}}
		if ms >= 2000 {
			c.Answers = map[string]int{"member-1": 1, "member-3": 1}
			c.Counts.Answered = 2
		}
		if ms >= 2000 && ms < 3250 {
			c.Unheard, c.Counts.Unknown = 1, 1
		}
		if ms == 3000 {
			c.Begun = map[string]witness.Wave{"member-1": {N: 1, First: at(3100), Last: at(3150)}}
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

func killed() lab.Action {
	return lab.Action{At: at(2000), Verb: lab.Kill, Who: "member-2", Took: 200 * time.Millisecond}
}

func (f *fake) checks() *lab.Checked {
	f.t.Helper()
	c, err := f.Check(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func TestCheck_TellsWhatHappened(t *testing.T) {
	f := machine(t, "none) ;;")
	f.runs(1, 1)
	f.sees(failover())
	f.did(killed())
	c := f.checks()
	const want = `  member-1    ████████████████████
  member-2    ████████
  member-3    ████████████████████
  unavailable         █████
                      ^             a column is 250ms

     +0.00 s  you       kill member-2 (Docker took 0.20 s)
     +0.10 s  client    the first of 1 users does not answer
     +1.00 s  view      epoch 8: without member-2
     +1.10 s  member-1  starts 1 users, within 0.05 s
     +1.20 s  client    all users answer again, after 1.10 s`
	var got []string
	for line := range strings.Lines(c.Timeline) {
		got = append(got, strings.TrimRight(line, " \n"))
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("the timeline is\n%s\nwant\n%s", c.Timeline, want)
	}
	if !c.OK() || !c.Facts.Evicted || c.Facts.Begun != 1 || c.Facts.Back != 1200*time.Millisecond || c.Facts.OnVictim != 1 {
		t.Errorf("facts = %+v, OK %v; want an eviction, one activation, 1.2s, one user on the victim", c.Facts, c.OK())
	}
	var findings []string
	for _, finding := range c.Findings {
		findings = append(findings, finding.Text)
	}
	for _, text := range []string{
		"48 requests were answered; 0 were not executed, of 5 nobody knows", "0 of 20 acknowledged writes were lost",
		"1 of 3 users were unavailable, for 1.10 s at a time at most", "until all answered again it took 1.20 s",
	} {
		if !strings.Contains(strings.Join(findings, "\n"), text) {
			t.Errorf("the findings lack %q:\n%s", text, strings.Join(findings, "\n"))
		}
	}
	if again := f.checks(); strings.Contains(again.Timeline, "kill member-2") {
		t.Errorf("the next check tells of the same again:\n%s", again.Timeline)
	}
}

func TestCheck_FindsWhatWasBroken(t *testing.T) {
	rows := []struct {
		name string
		edit func(r *witness.Report)
		want string
	}{
		{"two at once", func(r *witness.Report) { r.Breaches = breach(witness.Overlap) }, "1 users were in two places at once"},
		{"a stale answer", func(r *witness.Report) { r.Breaches = breach(witness.Stale) }, "2 answers came from activations that had been replaced"},
		{"a lost write", func(r *witness.Report) { r.Breaches = breach(witness.Lost) }, "2 of 20 acknowledged writes were lost"},
		{"nobody comes back", func(r *witness.Report) { r.Outages = []witness.Outage{{User: "2", From: at(1), To: at(20001)}} }, "for 20.00 s at a time at most"},
		{"no answers", func(r *witness.Report) { r.Cells = nil }, "0 requests were answered"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := machine(t, "none) ;;")
			f.runs(1, 1)
			r := failover()
			row.edit(r)
			f.sees(r)
			f.did(killed())
			c := f.checks()
			var broken []string
			for _, finding := range c.Findings {
				if !finding.OK {
					broken = append(broken, finding.Text)
				}
			}
			if c.OK() || len(broken) != 1 || !strings.Contains(broken[0], row.want) {
				t.Errorf("broken = %q, want one, with %q", broken, row.want)
			}
			if len(r.Breaches) > 0 && !strings.Contains(c.Timeline, "BREACH") {
				t.Errorf("the timeline does not show the breach:\n%s", c.Timeline)
			}
		})
	}
}

func breach(kind witness.Kind) []witness.Breach {
	return slices.Repeat([]witness.Breach{{At: at(2500), Kind: kind, User: "2", Member: "member-2", Text: "too late"}}, 2)
}

func TestCheck_ScoresThePrediction(t *testing.T) {
	f := machine(t, "none) ;;")
	f.runs(1, 1)
	f.sees(failover())
	s, err := lab.FindScenario("kill")
	if err != nil {
		t.Fatal(err)
	}
	p := &lab.Prediction{Scenario: s.Name, Sure: slices.Repeat([]float64{0}, len(s.Statements))} // right: none is so
	if err := f.Predict(p); err != nil {
		t.Fatal(err)
	}
	c := f.checks()
	if c.Prediction == nil || c.Scenario.Name != "kill" {
		t.Fatalf("the check has the prediction %v of %v, want that of kill", c.Prediction, c.Scenario)
	}
	if got := c.Prediction.Score(*c.Scenario, c.Facts); got != 0 {
		t.Errorf("the score of who was right is %v, want 0", got)
	}
	p.Sure = slices.Repeat([]float64{0.5}, len(s.Statements))
	if got := p.Score(s, c.Facts); fmt.Sprintf("%.3f", got) != "0.250" {
		t.Errorf("the score of who has no idea is %v, want 0.25", got)
	}
	if again := f.checks(); again.Prediction != nil {
		t.Error("a prediction counts twice")
	}
}

// Each statement of each scenario can come out either way.
func TestScenarios_EveryStatementIsOpen(t *testing.T) {
	quiet := &lab.Facts{Users: 3}
	loud := &lab.Facts{Users: 3, Overlaps: 1, Stale: 1, Lost: 1, Begun: 30, Evicted: true,
		Total: witness.Counts{Unknown: 1}, Silence: witness.Silence{Users: 3, Longest: time.Minute}}
	for _, s := range lab.Scenarios() {
		for _, statement := range s.Statements {
			if statement.True(quiet) == statement.True(loud) {
				t.Errorf("%s: %q is the same whatever happens", s.Name, statement.Text)
			}
		}
	}
	if _, err := lab.FindScenario("flood"); err == nil || !strings.Contains(err.Error(), "kill, zombie, consul, split, rolling") {
		t.Errorf("FindScenario(flood) = %v, want one that lists them", err)
	}
}
