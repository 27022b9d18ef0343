package dispatch

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

type turner func()

func (f turner) TakeTurn() { f() }

// Who pushes while somebody is about to look leaves it to that one, who finds another
// for what it does not take: its turn may wait for the rest.
func TestPool_WhoLingeredFindsAnotherForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2)
		p.shares = make([]share, sharesMax)
		var turns atomic.Int64
		for i := range p.shares {
			p.shares[i].push(&Job{Turn: turner(func() { turns.Add(1) })})
		}
		if w := (&worker{pool: p}); w.linger() == nil {
			t.Error("linger() = nil, and jobs wait")
		}
		synctest.Wait()
		if n := turns.Load(); n != sharesMax-1 {
			t.Errorf("%d jobs had turns, want all but the one that was taken, %d", n, sharesMax-1)
		}
		<-p.Close()
	})
}

// A patrol does not take the place of a worker that has gone on, which would not notice
// before it had ended another turn.
func TestPatrol_LeavesWhoHasGoneOn(t *testing.T) {
	for _, row := range []struct {
		name        string
		seen, turns uint64
		released    int
		stuck       bool
	}{
		{"in the same turn", 1, 1, 0, true},
		{"in the next one", 1, 3, 0, false},
		{"after it", 1, 2, 0, false},
		{"in none", 2, 2, 0, false},
		{"gave its place away", 1, 1, 1, false},
	} {
		p := New(1)
		w := &worker{pool: p, seen: row.seen, released: row.released}
		p.workers = []*worker{w}
		w.turns.Store(row.turns)
		p.closed = true // so that nobody begins to work
		p.replace(w)
		if w.stuck != row.stuck || w.stuck && !w.displaced.Load() || p.away == 1 != row.stuck {
			t.Errorf("%s: stuck %v, displaced %v, %d away; want stuck %v", row.name, w.stuck, w.displaced.Load(), p.away, row.stuck)
		}
		<-p.Close()
	}
}

// A share on whose processor no worker ever is gets its turn, however much there is to do
// elsewhere.
func TestPool_LooksAtTheOtherShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1)
		p.shares = make([]share, sharesMax)
		var busy Job
		var turns, before atomic.Int64
		stop := make(chan struct{})
		busy.Turn = turner(func() {
			turns.Add(1)
			select {
			case <-stop:
			default:
				p.Push(&busy)
			}
		})
		left := int64(len(p.shares))
		for i := range p.shares {
			p.shares[i].push(&Job{Turn: turner(func() {
				before.Store(turns.Load())
				if left--; left == 0 {
					close(stop)
				}
			})})
		}
		p.Push(&busy)
		synctest.Wait()
		if left != 0 {
			t.Fatalf("%d jobs still wait for their turns", left)
		}
		if most := int64(elsewhere * (len(p.shares) + 1)); before.Load() > most {
			t.Errorf("the last waited for %d turns, want at most %d", before.Load(), most)
		}
		<-p.Close()
	})
}
