package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options say how workloads are run. Zero fields mean the defaults.
type Options struct {
	// Rounds is how often each contender runs and counts, unless the workload has
	// slices; 0 means 5.
	Rounds int
	// Cold leaves out the round that warms up.
	Cold bool
	// Patience bounds one run, and one Open; 0 means three minutes.
	Patience time.Duration
	// Progress is told what is done next; nil means nobody is.
	Progress func(text string)
}

// Run does the workload: each contender once to warm up, and then in rounds,
// one after the other in each. With slices, contenders are opened and warmed up anew
// for each of the usual rounds. A contender that fails is out, with its error in
// the result. It blocks until all is done and closed.
func Run(ctx context.Context, w Workload, o Options) Result {
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	if o.Patience == 0 {
		o.Patience = 3 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	racers := make([]*racer, len(w.Contenders))
	for i, c := range w.Contenders {
		racers[i] = &racer{contender: c, metrics: len(w.Metrics), patience: o.Patience}
	}
	times, rounds := 1, o.Rounds
	if w.Slices > 1 {
		times, rounds = o.Rounds, w.Slices
	}
	for opened := range times {
		race(ctx, racers, rounds, o, func(round int, name string) {
			if round > 0 {
				round += opened * rounds
			}
			o.Progress(fmt.Sprintf("%s: round %d of %d, %s", w.Name, round, times*rounds, name))
		})
	}
	result := Result{Workload: w}
	for _, r := range racers {
		result.Scores = append(result.Scores, Score{Name: r.contender.Name, Samples: r.samples, Err: r.err})
	}
	return result
}

// race has racers that are not out do so many rounds, after one to warm up.
func race(ctx context.Context, racers []*racer, rounds int, o Options, next func(round int, name string)) {
	for _, r := range racers {
		r.open(ctx)
	}
	for round := range rounds + 1 {
		if round == 0 && o.Cold {
			continue
		}
		for _, r := range racers {
			next(round, r.contender.Name)
			r.run(ctx, round > 0)
		}
	}
	for _, r := range racers {
		r.close()
	}
}

// racer is a contender in a workload.
type racer struct {
	contender Contender
	metrics   int
	patience  time.Duration

	instance *Instance
	samples  []Sample
	err      error // why it is out
}

func (r *racer) open(ctx context.Context) {
	if r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	r.instance, r.err = r.contender.Open(ctx)
}

// run runs it once.
func (r *racer) run(ctx context.Context, counts bool) {
	if r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	sample, err := r.instance.Run(ctx)
	switch {
	case err != nil:
		r.err = err
	case len(sample) != r.metrics:
		r.err = fmt.Errorf("bench: %s yields %d values for %d metrics", r.contender.Name, len(sample), r.metrics)
	case counts:
		r.samples = append(r.samples, sample)
	}
}

func (r *racer) close() {
	if r.instance != nil && r.instance.Close != nil {
		r.err = errors.Join(r.err, r.instance.Close())
	}
	r.instance = nil
}
