package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/witness"
)

// Scenario is one way to break a cluster, and what may become of it.
type Scenario struct {
	Name       string
	Title      string
	Statements []Statement
	play       func(ctx context.Context, l *Lab) error
}

// Statement is something that is true or not when the scenario is over.
type Statement struct {
	Text string
	True func(f *Facts) bool
}

// Scenarios are those of exercise 4.11, in order.
func Scenarios() []Scenario {
	nobody := Statement{"nobody notices: each user answers all the time", func(f *Facts) bool { return f.Silence.Users == 0 }}
	twice := Statement{"a user is in two places at once", func(f *Facts) bool { return f.Overlaps > 0 }}
	lost := Statement{"a write that was acknowledged is lost", func(f *Facts) bool { return f.Lost > 0 }}
	share := Statement{"more than half of the users are unavailable at some time", func(f *Facts) bool {
		return 2*f.Silence.Users > f.Users
	}}
	long := Statement{"a user is unavailable for more than two seconds", func(f *Facts) bool {
		return f.Silence.Longest > 2*time.Second
	}}
	evicted := Statement{"the others write a view without that member", func(f *Facts) bool { return f.Evicted }}
	moved := Statement{"far more users are started anew than lived on the victim, and back on it", func(f *Facts) bool {
		return f.Begun > f.OnVictim*5/2+10
	}}
	return []Scenario{
		{"kill", "kill -9 the member on which user/123 lives", []Statement{share, long, moved, twice, lost}, playKill},
		{"zombie", "pause that member for 30 s, then let it go on", []Statement{evicted, long, twice, {
			"it answers for what it has lost when it wakes", func(f *Facts) bool { return f.Stale > 0 },
		}, lost}, playZombie},
		{"consul", "cut that member from Consul for 20 s", []Statement{nobody, evicted, twice, lost}, playConsul},
		{
			"split", "cut two members from each other for 15 s, and nobody from anybody else",
			[]Statement{nobody, evicted, twice, lost}, playSplit,
		},
		{"rolling", "restart one member after another, under load", []Statement{nobody, {
			"a request fails", func(f *Facts) bool { return f.Total.NotExecuted+f.Total.Unknown+f.Total.Failed > 0 },
		}, {
			"each user is started anew at least once on average", func(f *Facts) bool { return f.Begun >= f.Users },
		}, twice, lost}, playRolling},
	}
}

// FindScenario returns the one of that name.
func FindScenario(name string) (Scenario, error) {
	var names []string
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("there is no scenario %q; they are %s", name, strings.Join(names, ", "))
}

// Play runs a scenario, and returns when the cluster is whole again.
func (l *Lab) Play(ctx context.Context, s Scenario) error {
	state, err := l.state()
	if err != nil {
		return err
	}
	if err := l.whole(ctx, 30*time.Second); err != nil {
		return err
	}
	if state.Prediction == nil || state.Prediction.Scenario != s.Name {
		state.Since = time.Now()
		if err := l.remember(state); err != nil {
			return err
		}
	}
	return s.play(ctx, l)
}

// step does one thing and tells so.
func (l *Lab) step(ctx context.Context, verb Verb, who, with string) error {
	text := fmt.Sprint(verb, " ", who)
	if with != "" {
		text += apart + with
	}
	l.Tell("%s", text)
	return l.Do(ctx, verb, who, with)
}

// rest lets a while pass.
func (l *Lab) rest(ctx context.Context, d time.Duration, why string) error {
	l.Tell("wait %v, %s", d, why)
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sequence does one step after another, until one fails.
func sequence(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func playKill(ctx context.Context, l *Lab) error {
	owner, err := l.Owner(ctx, Watched)
	if err != nil {
		return err
	}
	return sequence(
		func() error { return l.step(ctx, Kill, owner, "") },
		func() error { return l.rest(ctx, 8*time.Second, "in which the others take over") },
		func() error { return l.step(ctx, Restart, owner, "") },
		func() error { return l.whole(ctx, 30*time.Second) },
		func() error { return l.rest(ctx, 2*time.Second, "in which users move back") },
	)
}

func playZombie(ctx context.Context, l *Lab) error {
	owner, err := l.Owner(ctx, Watched)
	if err != nil {
		return err
	}
	return sequence(
		func() error { return l.step(ctx, Pause, owner, "") },
		func() error { return l.rest(ctx, 30*time.Second, "in which it stands still") },
		func() error { return l.step(ctx, Resume, owner, "") },
		func() error { return l.rest(ctx, 5*time.Second, "in which it finds out") },
		func() error { return l.whole(ctx, 30*time.Second) },
	)
}

func playConsul(ctx context.Context, l *Lab) error {
	owner, err := l.Owner(ctx, Watched)
	if err != nil {
		return err
	}
	return l.playCut(ctx, owner, "consul", 20*time.Second)
}

func playSplit(ctx context.Context, l *Lab) error {
	return l.playCut(ctx, Members[0], Members[1], 15*time.Second)
}

func (l *Lab) playCut(ctx context.Context, who, with string, d time.Duration) error {
	return sequence(
		func() error { return l.step(ctx, Partition, who, with) },
		func() error { return l.rest(ctx, d, "in which they do not hear of each other") },
		func() error { return l.step(ctx, Heal, who, with) },
		func() error { return l.rest(ctx, 3*time.Second, "in which they meet again") },
		func() error { return l.whole(ctx, 30*time.Second) },
	)
}

func playRolling(ctx context.Context, l *Lab) error {
	for _, name := range Members {
		err := sequence(
			func() error { return l.step(ctx, Restart, name, "") },
			func() error { return l.whole(ctx, 30*time.Second) },
			func() error { return l.rest(ctx, 2*time.Second, "in which users move") },
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// Prediction is how sure somebody was of each statement of a scenario, from 0 to 1.
type Prediction struct {
	Scenario string    `json:"scenario"`
	Sure     []float64 `json:"sure"`
}

// Predict keeps a prediction for the next check, and has that begin here.
func (l *Lab) Predict(p *Prediction) error {
	s, err := l.state()
	if err != nil {
		return err
	}
	s.Prediction, s.Since = p, time.Now()
	return l.remember(s)
}

// Score is the mean square of what the prediction was off: 0 for a clairvoyant,
// 0.25 for a coin. It is Brier's; Monthly Weather Review 78(1), 1950.
func (p *Prediction) Score(s Scenario, f *Facts) float64 {
	score := 0.0
	for i, statement := range s.Statements {
		off := p.Sure[i]
		if statement.True(f) {
			off--
		}
		score += off * off / float64(len(s.Statements))
	}
	return score
}

// Facts are what a check found.
type Facts struct {
	Code     Code
	Users    int
	Total    witness.Counts
	Silence  witness.Silence
	Overlaps int // users that were in two places at once
	Stale    int // answers of the replaced
	Lost     int // acknowledged writes of which an answer did not know
	Begun    int // activations
	OnVictim int // users that lived on the members that something was done to
	Evicted  bool
	Back     time.Duration // from the first action until all users answered again; 0 if all did all the time
}
