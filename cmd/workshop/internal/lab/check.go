package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

// longest is how long a user may be unavailable before that is a fault and no
// failover. It is far more than any promise, so that a busy machine breaks none.
const longest = 15 * time.Second

// Checked is what a check found, from outside.
type Checked struct {
	Facts    *Facts
	Findings []Finding
	Timeline string // what happened, drawn
	File     string // in which all of it is

	Scenario   *Scenario // that was predicted; nil if none
	Prediction *Prediction
}

// Finding is one thing that a cluster promises, and whether it was so.
type Finding struct {
	OK   bool
	Text string
}

// OK reports whether every promise was kept.
func (c *Checked) OK() bool {
	return !slices.ContainsFunc(c.Findings, func(f Finding) bool { return !f.OK })
}

// Check waits until all users answer, for half a minute, and judges what happened
// since the last check or prediction. The next begins here.
func (l *Lab) Check(ctx context.Context) (*Checked, error) {
	s, err := l.state()
	if err != nil {
		return nil, err
	}
	settle := l.settle(ctx)
	actions, err := l.actions(s.Since)
	if err != nil {
		return nil, err
	}
	since := s.Since
	if len(actions) > 0 && actions[0].At.Add(-margin).After(since) {
		since = actions[0].At.Add(-margin)
	}
	r, err := l.Report(ctx, since)
	if err != nil {
		return nil, errors.Join(settle, err)
	}
	c := judge(s.Code, r, actions)
	if settle != nil {
		c.Findings = append(c.Findings, Finding{false, settle.Error()})
	}
	if p := s.Prediction; p != nil {
		scenario, err := FindScenario(p.Scenario)
		if err != nil {
			return nil, err
		}
		c.Scenario, c.Prediction = &scenario, p
	}
	if err := l.keep(c, r, actions); err != nil {
		return nil, err
	}
	s.Since, s.Prediction = time.Now(), nil
	return c, l.remember(s)
}

// settle waits until every user answers.
func (l *Lab) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		r, err := l.Report(ctx, time.Now())
		if err == nil && r.Unheard == 0 {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
			continue
		case <-ctx.Done():
		}
		if r == nil {
			return err
		}
		return fmt.Errorf("after 30 s %d of %d users still do not answer", r.Unheard, r.Users)
	}
}

// judge compares what was seen with what is promised.
func judge(code Code, r *witness.Report, actions []Action) *Checked {
	f := &Facts{
		Code: code, Users: r.Users, Total: r.Total(), Silence: r.Silence(),
		Overlaps: r.Broken(witness.Overlap), Stale: r.Broken(witness.Stale), Lost: r.Broken(witness.Lost),
	}
	victims := map[string]bool{}
	for _, a := range actions {
		victims[a.Who] = true
	}
	homes := map[string]int{}
	for _, c := range r.Cells {
		for _, wave := range c.Begun {
			f.Begun += wave.N
		}
		if len(actions) > 0 && c.At.Add(witness.Tick).Before(actions[0].At) {
			for member, n := range c.Answers {
				homes[member] += n
			}
		}
	}
	f.OnVictim = share(homes, victims, r.Users)
	for _, v := range r.Views {
		for victim := range victims {
			f.Evicted = f.Evicted || !slices.Contains(v.Members, victim)
		}
	}
	if gaps := r.Gaps(); len(actions) > 0 && len(gaps) > 0 && !gaps[0].Open {
		f.Back = gaps[0].To.Sub(actions[0].At)
	}
	c := &Checked{Facts: f, Timeline: timeline(r, actions)}
	find := func(ok bool, format string, args ...any) {
		c.Findings = append(c.Findings, Finding{ok, fmt.Sprintf(format, args...)})
	}
	find(f.Total.Answered > 0, "%d requests were answered; %d were not executed, of %d nobody knows, and %d were refused",
		f.Total.Answered, f.Total.NotExecuted, f.Total.Unknown, f.Total.Failed)
	find(f.Overlaps == 0, "%d users were in two places at once, of %d activations that began", f.Overlaps, f.Begun)
	find(f.Stale == 0, "%d answers came from activations that had been replaced", f.Stale)
	find(f.Lost == 0, "%d of %d acknowledged writes were lost", f.Lost, f.Total.Recorded)
	find(true, "%d late writes of replaced activations were refused by the ledger", f.Total.Refused)
	if f.Silence.Users == 0 {
		find(true, "no user was unavailable")
	} else {
		find(f.Silence.Longest <= longest,
			"%d of %d users were unavailable, for %s at a time at most; half of the times were shorter than %s",
			f.Silence.Users, f.Users, seconds(f.Silence.Longest), seconds(f.Silence.Median))
		if f.Back > 0 {
			find(true, "from the first thing that was done until all answered again it took %s", seconds(f.Back))
		}
	}
	return c
}

// share is how many of so many users lived on victims, by who answered.
func share(answers map[string]int, victims map[string]bool, users int) int {
	all, of := 0, 0
	for member, n := range answers {
		all += n
		if victims[member] {
			of += n
		}
	}
	if all == 0 {
		return 0
	}
	return users * of / all
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// keep writes all of a check to a file.
func (l *Lab) keep(c *Checked, r *witness.Report, actions []Action) error {
	c.File = l.path("check.json")
	text, err := json.MarshalIndent(struct {
		Facts    *Facts          `json:"facts"`
		Findings []Finding       `json:"findings"`
		Timeline []string        `json:"timeline"`
		Actions  []Action        `json:"actions"`
		Report   *witness.Report `json:"report"`
	}{c.Facts, c.Findings, strings.Split(c.Timeline, "\n"), actions, r}, "", " ")
	if err != nil {
		return err
	}
	return durable.Write(c.File, text)
}
