package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test/memstore"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestViewStore(t *testing.T) {
	rows := []struct {
		name  string
		adapt func(s *memstore.Store)
	}{
		{"at once", func(*memstore.Store) {}},
		{"slow", func(s *memstore.Store) { s.Delay(20 * time.Millisecond) }},
		{"behind", func(s *memstore.Store) { s.Lag(50 * time.Millisecond) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			testkit.TestViewStore(t, func(t testing.TB) testkit.ViewStoreSetup {
				t.Helper()
				store := memstore.New()
				row.adapt(store)
				name := func(node int) string { return fmt.Sprint("node-", node) }
				return testkit.ViewStoreSetup{
					Store:      func(node int) cluster.ViewStore { return store.For(name(node)) },
					Overwrite:  func(data []byte) { store.Overwrite("shop", data) },
					Cut:        func(node int) { store.Stall(name(node)) },
					Heal:       func(node int) { store.Heal(name(node)) },
					LoseAnswer: func(node int) { store.LoseNext(1, name(node)) },
					Settle:     100 * time.Millisecond,
					Linger:     15 * time.Second,
					Expiry:     30 * time.Second,
				}
			})
		})
	}
}

// shopper is a cluster.Node of the cluster "shop" that has no more than that.
type shopper struct{}

func (shopper) ClusterName() string      { return "shop" }
func (shopper) Self() cluster.Member     { return cluster.Member{} }
func (shopper) Client() bool             { return false }
func (shopper) Strict() bool             { return true }
func (shopper) Changed() <-chan struct{} { return nil }
func (shopper) Report([]cluster.Member)  {}
func (shopper) Network() remote.Network  { return remote.TCP{} }
func (shopper) Logger() *slog.Logger     { return slog.New(slog.DiscardHandler) }

// withStore runs f in a bubble with a store that nodes a and b use.
func withStore(t *testing.T, f func(t *testing.T, s *memstore.Store, a, b cluster.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		a, errA := s.For("a").OpenStore(shopper{})
		b, errB := s.For("b").OpenStore(shopper{})
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		f(t, s, a, b)
	})
}

// soon bounds a call.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func holds(t *testing.T, s *memstore.Store, want string) {
	t.Helper()
	if got := s.Record("shop").Data; string(got) != want {
		t.Errorf("the store holds %q, want %q", got, want)
	}
}

// A write that nobody waits for any more may yet happen.
func TestViewStore_StallHoldsWrites(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		s.Stall("a")
		if _, err := a.Write(soon(t), []byte("late"), 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Write = %v, want a deadline", err)
		}
		testkit.Advance(time.Hour)
		if r, err := b.Read(soon(t)); err != nil || r.Data != nil {
			t.Errorf("Read = %q, %v, want nothing yet", r.Data, err)
		}
		s.Heal("a")
		holds(t, s, "late")
		s.Stall()
		if _, err := b.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read from a store that stands still = %v, want a deadline", err)
		}
		s.Heal()
		if _, err := b.Read(soon(t)); err != nil {
			t.Errorf("Read = %v", err)
		}
	})
}

func TestViewStore_FailNext(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		s.FailNext(2, "a")
		for range 2 {
			if _, err := a.Write(soon(t), []byte("x"), 0); err == nil || errors.Is(err, cluster.ErrConflict) {
				t.Errorf("Write = %v, want an error other than ErrConflict", err)
			}
			holds(t, s, "")
		}
		if _, err := b.Write(soon(t), []byte("b"), 0); err != nil {
			t.Errorf("Write by another = %v", err)
		}
		if _, err := a.Read(soon(t)); err != nil {
			t.Errorf("the third call = %v", err)
		}
	})
}

func TestViewStore_Lag(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		s.Lag(3*time.Second, "a")
		before := s.Record("shop")
		begin := time.Now()
		if _, err := b.Write(soon(t), []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		if err := a.Wait(t.Context(), before); err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("Wait = %v after %v, want 3s", err, time.Since(begin))
		}
		if err := b.Wait(t.Context(), before); err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("Wait by another = %v after %v, want at once", err, time.Since(begin)-3*time.Second)
		}
	})
}

func TestViewStore_Delay(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		s.Delay(800 * time.Millisecond)
		begin := time.Now()
		written := make(chan error, 1)
		go func() {
			_, err := a.Write(soon(t), []byte("x"), 0)
			written <- err
		}()
		testkit.Advance(399 * time.Millisecond)
		holds(t, s, "")
		testkit.Advance(2 * time.Millisecond)
		holds(t, s, "x")
		if err := <-written; err != nil || time.Since(begin) != 800*time.Millisecond {
			t.Errorf("Write = %v after %v, want 800ms", err, time.Since(begin))
		}
		_ = b
	})
}

func TestViewStore_Crash(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		if err := a.Announce(soon(t), "a", []byte("a joins")); err != nil {
			t.Fatal(err)
		}
		s.Crash("a")
		if _, err := a.Read(soon(t)); err == nil {
			t.Error("Read after the crash = nil, want an error")
		}
		if err := a.Wait(soon(t), cluster.Record{}); err == nil {
			t.Error("Wait after the crash = nil, want an error")
		}
		testkit.Advance(10 * time.Second)
		if n := len(s.Record("shop").Joiners); n != 1 {
			t.Errorf("%d announcements 12 s after the crash, want it still there", n)
		}
		testkit.Advance(20 * time.Second)
		if n := len(s.Record("shop").Joiners); n != 0 {
			t.Errorf("%d announcements 32 s after the crash, want none", n)
		}
		again, err := s.For("a").OpenStore(shopper{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Read(soon(t)); err != nil {
			t.Errorf("Read by the node's successor = %v", err)
		}
		if _, err := b.Read(soon(t)); err != nil {
			t.Errorf("Read by another = %v", err)
		}
	})
}

func TestViewStore_Restore(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		one, err := a.Write(soon(t), []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		backup := s.Record("shop")
		two, err := a.Write(soon(t), []byte("two"), one)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Announce(soon(t), "a", []byte("a joins")); err != nil {
			t.Fatal(err)
		}
		before := s.Record("shop")
		s.Restore("shop", backup)
		if err := b.Wait(soon(t), before); err != nil {
			t.Errorf("Wait = %v, want it to notice", err)
		}
		if r := s.Record("shop"); string(r.Data) != "one" || r.Version != one || r.Revision >= before.Revision || r.Joiners != nil {
			t.Errorf("the store holds %+v, want what was saved, and nobody announced", r)
		}
		if _, err := a.Write(soon(t), []byte("three"), two); !errors.Is(err, cluster.ErrConflict) {
			t.Errorf("Write with the version that is gone = %v, want ErrConflict", err)
		}
		if three, err := a.Write(soon(t), []byte("three"), one); err != nil || three <= two {
			t.Errorf("Write = %d, %v, want a version over %d", three, err, two)
		}
		testkit.Advance(10 * time.Second)
		if n := len(s.Record("shop").Joiners); n != 1 {
			t.Errorf("%d announcements after 10 s, want 1 again", n)
		}
	})
}

func TestViewStore_Reset(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		one, err := a.Write(soon(t), []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Record("shop")
		s.Reset()
		if again, err := b.Write(soon(t), []byte("other"), 0); err != nil || again != one {
			t.Errorf("the first write's version = %d, %v, want %d again", again, err, one)
		}
		if _, err := a.Write(soon(t), []byte("two"), before.Version); err != nil {
			t.Errorf("Write with a version that repeats = %v, want that it succeeds: this is what to be ready for", err)
		}
	})
}

func TestViewStore_Shown(t *testing.T) {
	withStore(t, func(t *testing.T, s *memstore.Store, a, b cluster.Store) {
		for id, store := range map[string]cluster.Store{"2": a, "1": b} {
			if err := store.Show(soon(t), cluster.Member{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Shown("shop"); len(got) != 2 || got[0].ID != "1" || got[1].ID != "2" {
			t.Errorf("Shown = %v, want 1 and 2", got)
		}
		if err := a.Close(soon(t)); err != nil {
			t.Fatal(err)
		}
		if got := s.Shown("shop"); len(got) != 1 || got[0].ID != "1" {
			t.Errorf("Shown = %v, want 1", got)
		}
	})
}
