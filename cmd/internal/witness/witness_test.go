package witness_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ledger"
	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// a, b and c are activations of user 1, one after another.
func activation(name, member string, epoch uint64) ledger.Claim {
	return ledger.Claim{User: "1", Member: member, Activation: name, Epoch: epoch, Counter: 1}
}

func kinds(r *witness.Report) []witness.Kind {
	var all []witness.Kind
	for _, b := range r.Breaches {
		all = append(all, b.Kind)
	}
	return all
}

func TestWitness_FindsWhatIsBroken(t *testing.T) {
	a, b := activation("a", "m1", 7), activation("b", "m2", 8)
	rows := []struct {
		name string
		play func(w *witness.Witness, start time.Time)
		want []witness.Kind
	}{
		{"one after another", func(w *witness.Witness, start time.Time) {
			w.Answered(start, witness.Answer{Claim: a, Recorded: 1}, true)
			w.Began(b)
			testkit.Advance(time.Second)
			w.Answered(time.Now(), witness.Answer{Claim: b, Recorded: 1}, false)
			w.Wrote(b, b)
		}, nil},
		{"what was asked before may be answered after", func(w *witness.Witness, start time.Time) {
			testkit.Advance(time.Millisecond)
			w.Began(b)
			w.Answered(start, witness.Answer{Claim: a}, false)
		}, nil},
		{"a write that is refused", func(w *witness.Witness, _ time.Time) {
			w.Began(b)
			w.Refused(a, b)
		}, nil},
		{"an answer of the replaced", func(w *witness.Witness, _ time.Time) {
			w.Began(b)
			testkit.Advance(time.Second)
			w.Answered(time.Now(), witness.Answer{Claim: a}, false)
		}, []witness.Kind{witness.Stale, witness.Overlap}},
		{"a write of the replaced", func(w *witness.Witness, _ time.Time) {
			w.Began(b)
			w.Wrote(a, b)
		}, []witness.Kind{witness.Overlap}},
		{"an answer that has forgotten", func(w *witness.Witness, start time.Time) {
			w.Answered(start, witness.Answer{Claim: a, Recorded: 2}, true)
			w.Answered(start, witness.Answer{Claim: a, Recorded: 1}, false)
		}, []witness.Kind{witness.Lost}},
		{"an answer from nowhere", func(w *witness.Witness, start time.Time) {
			w.Answered(start, witness.Answer{Claim: b}, false)
		}, []witness.Kind{witness.Stale}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := witness.New(3)
				w.Began(a)
				testkit.Advance(time.Millisecond)
				start := time.Now()
				row.play(w, start)
				r := w.Report(time.Time{})
				if got := kinds(r); !slices.Equal(got, row.want) {
					t.Errorf("breaches = %v, want %v", r.Breaches, row.want)
				}
				for _, kind := range []witness.Kind{witness.Overlap, witness.Stale, witness.Lost} {
					if want := min(1, len(slices.DeleteFunc(slices.Clone(row.want), func(k witness.Kind) bool { return k != kind }))); r.Broken(kind) != want {
						t.Errorf("Broken(%s) = %d, want %d", kind, r.Broken(kind), want)
					}
				}
			})
		})
	}
}

func TestWitness_ABreachSaysWhoAndWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := witness.New(3)
		a, b := activation("a", "m1", 7), activation("b", "m2", 8)
		w.Began(a)
		w.Began(b)
		testkit.Advance(1500 * time.Millisecond)
		w.Answered(time.Now(), witness.Answer{Claim: a}, false)
		want := "m1 answered what it was asked 1.5s after m2 had begun, under token 7.1 after 8.1"
		if got := w.Report(time.Time{}).Breaches[0]; got.Text != want || got.User != "1" || !got.At.Equal(time.Now()) {
			t.Errorf("breach = %v, want %q of user 1, now", got, want)
		}
	})
}

func TestWitness_OutagesLastFromTheFirstFailureToTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := witness.New(3)
		answer := func(user string, sent time.Time) {
			w.Answered(sent, witness.Answer{Claim: ledger.Claim{User: user, Member: "m1", Activation: user}}, false)
		}
		for n := range 3 {
			w.Began(ledger.Claim{User: fmt.Sprint(n), Member: "m1", Activation: fmt.Sprint(n)})
			answer(fmt.Sprint(n), time.Now())
		}
		start := time.Now()
		testkit.Advance(time.Second)
		w.Failed("0", start, witness.Unknown)
		w.Failed("0", start, witness.NotExecuted) // the first counts
		w.Failed("1", time.Now(), witness.Refused)
		testkit.Advance(time.Second)
		if r := w.Report(start); r.Unheard != 2 || len(r.Outages) != 2 || !r.Gaps()[0].Open {
			t.Errorf("%d users are not heard in outages %v, want 2 in 2 that go on", r.Unheard, r.Outages)
		}
		answer("0", time.Now())
		testkit.Advance(witness.Slow + time.Millisecond)
		answer("1", time.Now())
		answer("2", time.Now().Add(-witness.Slow-time.Millisecond)) // slow counts as well
		r := w.Report(start)
		want := witness.Silence{Users: 3, Longest: 2 * time.Second, Median: time.Second + witness.Slow + time.Millisecond}
		if got := r.Silence(); got != want {
			t.Errorf("silence = %+v, want %+v", got, want)
		}
		if got, want := r.Gaps(), (witness.Gap{From: start, To: time.Now(), Users: 3}); len(got) != 1 || got[0] != want {
			t.Errorf("gaps = %v, want one, %v", got, want)
		}
		if got, want := r.Total(), (witness.Counts{Answered: 6, NotExecuted: 1, Unknown: 1, Failed: 1}); got != want {
			t.Errorf("total = %+v, want %+v", got, want)
		}
		if r := w.Report(time.Now().Add(time.Millisecond)); len(r.Outages) != 0 || r.Silence() != (witness.Silence{}) {
			t.Errorf("outages = %v after all have ended", r.Outages)
		}
	})
}

func TestWitness_KeepsHalfAnHourInCells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := witness.New(3)
		w.Saw(3, []string{"m2", "m1"})
		w.Began(activation("a", "m1", 1))
		for range 40 {
			w.Answered(time.Now(), witness.Answer{Claim: activation("a", "m1", 1)}, true)
			testkit.Advance(time.Minute)
		}
		r := w.Report(time.Time{})
		if n := len(r.Cells); n < 29 || n > 31 {
			t.Errorf("%d cells are kept of 40, want about 30", n)
		}
		if r.Epoch != 3 || !slices.Equal(r.Members, []string{"m1", "m2"}) || !maps.Equal(r.On(), map[string]int{"m1": 1}) || r.Users != 3 {
			t.Errorf("report = epoch %d, members %v, users on %v; want 3, m1 and m2, 1 on m1", r.Epoch, r.Members, r.On())
		}
		if total := r.Total(); total.Recorded != total.Answered {
			t.Errorf("%d of %d answers acknowledge a write, want all", total.Recorded, total.Answered)
		}
	})
}
