package tally_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
)

func TestDurations_QuantilesAreCloseToTheExactOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var d tally.Durations
	var all []time.Duration
	for range 10_000 {
		took := time.Duration(random.ExpFloat64() * float64(5*time.Millisecond))
		all = append(all, took)
		d.Add(took)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999} {
		got, want := d.Counts().Quantile(q), all[int(q*float64(len(all)))]
		if off := float64(got-want) / float64(want); off < -0.2 || off > 0.2 {
			t.Errorf("Quantile(%v) = %v, want %v within a fifth", q, got, want)
		}
	}
}

func TestDurations_Edges(t *testing.T) {
	rows := []struct {
		took     time.Duration
		from, to time.Duration // of what Quantile(1) may be
	}{
		{-time.Second, 0, time.Microsecond},
		{0, 0, time.Microsecond},
		{999 * time.Nanosecond, 0, time.Microsecond},
		{time.Microsecond, time.Microsecond, 2 * time.Microsecond},
		{time.Millisecond, 724 * time.Microsecond, 1025 * time.Microsecond},
		{time.Hour, time.Minute, 2 * time.Minute},
		{1<<63 - 1, time.Minute, 2 * time.Minute},
	}
	for _, row := range rows {
		var d tally.Durations
		d.Add(row.took)
		if got := d.Counts().Quantile(1); got < row.from || got > row.to || d.Counts().Total() != 1 {
			t.Errorf("Quantile(1) of %v = %v of %d, want %v to %v of 1", row.took, got, d.Counts().Total(), row.from, row.to)
		}
	}
	if got := (tally.Counts{}).Quantile(0.5); got != 0 {
		t.Errorf("Quantile of nothing = %v, want 0", got)
	}
}

func TestCounts_SinceAndAnd(t *testing.T) {
	var d tally.Durations
	d.Add(time.Millisecond)
	before := d.Counts()
	d.Add(time.Second)
	later := d.Counts().Since(before)
	if got := later.Quantile(1); later.Total() != 1 || got < 700*time.Millisecond {
		t.Errorf("since then %d, of %v at most, want the one of a second", later.Total(), got)
	}
	if got := before.And(later); got != d.Counts() {
		t.Errorf("before and since = %v, want all", got)
	}
	if got := (tally.Counts{}).Since(before).Total(); got != 0 { // a node that counts anew
		t.Errorf("since a higher count: %d, want 0", got)
	}
}

func TestCalls_CountsHowTheyEnded(t *testing.T) {
	var c tally.Calls
	for _, err := range []error{nil, actor.ErrNotDelivered, fmt.Errorf("lost: %w", actor.ErrUnknownOutcome)} {
		c.End(time.Now(), &err)
	}
	c.Known(time.Hour)
	took, known, failures, unknown := c.Counts()
	if failures != 2 || unknown != 1 || known != 1 || took.Total() != 4 {
		t.Errorf("%d calls, %d known, %d failures, %d unknown; want 4, 1, 2, 1", took.Total(), known, failures, unknown)
	}
	if longest := took.Quantile(1); longest < time.Minute {
		t.Errorf("the longest took %v, want the hour of the known one", longest)
	}
}
