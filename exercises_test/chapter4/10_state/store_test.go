package state_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	state "github.com/protocluster/workshop/chapters/chapter4/10_state"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

var (
	savings  = cluster.NewClusterIdentity("account", "savings")
	errStore = errors.New("the store does not answer")
)

// fault is what goes wrong in one call of a store.
type fault string

const (
	none   fault = ""
	before fault = "fails"                   // and does nothing
	after  fault = "happens, and then fails" // its answer is lost
)

// store is a state.Store that follows a script. A call takes 10ms.
type store struct {
	s    *story.Story
	over chan struct{}

	mu        sync.Mutex
	snapshots map[cluster.Identity]state.Snapshot
	loads     []fault // of the next calls
	saves     []fault
	saved     int // calls of Save, whatever came of them
}

func newStore(t *testing.T, s *story.Story) *store {
	st := &store{s: s, over: make(chan struct{}), snapshots: make(map[cluster.Identity]state.Snapshot)}
	t.Cleanup(func() { close(st.over) })
	return st
}

func (st *store) Load(ctx context.Context, id cluster.Identity) (state.Snapshot, error) {
	if err := st.wait(ctx); err != nil {
		return state.Snapshot{}, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.snapshots[id]
	if what := next(&st.loads); what != none {
		st.s.Note("store", "Load %s", what)
		return state.Snapshot{}, errStore
	}
	st.s.Note("store", "Load: version %d", s.Version)
	return s, nil
}

func (st *store) Save(ctx context.Context, id cluster.Identity, s state.Snapshot) error {
	if err := st.wait(ctx); err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.saved++
	what := next(&st.saves)
	if what == before {
		st.s.Note("store", "Save of version %d %s", s.Version, what)
		return errStore
	}
	if now := st.snapshots[id].Version; s.Version != now+1 {
		st.s.Note("store", "Save of version %d: stale", s.Version)
		return fmt.Errorf("version %d after %d: %w", s.Version, now, state.ErrStale)
	}
	st.snapshots[id] = state.Snapshot{Version: s.Version, Data: append([]byte(nil), s.Data...)}
	if what == after {
		st.s.Note("store", "Save of version %d %s", s.Version, what)
		return errStore
	}
	st.s.Note("store", "Save of version %d", s.Version)
	return nil
}

func (st *store) wait(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-st.over:
		return errStore
	}
}

// next takes the first of a script.
func next(script *[]fault) fault {
	if len(*script) == 0 {
		return none
	}
	first := (*script)[0]
	*script = (*script)[1:]
	return first
}

// script says what the next calls come to.
func (st *store) script(loads, saves []fault) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.loads, st.saves = loads, saves
}

func (st *store) put(s state.Snapshot) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.snapshots[savings] = s
}

// stored is what is stored now, and how often Save was called.
func (st *store) stored() (s state.Snapshot, saves int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.snapshots[savings], st.saved
}

// bank has accounts, which are activations of one identity.
type bank struct {
	t *testing.T
	s *story.Story
	*store
}

func newBank(t *testing.T, s *story.Story) *bank { return &bank{t, s, newStore(t, s)} }

// open returns a new activation, which has loaded.
func (b *bank) open(who string) *state.Account {
	b.t.Helper()
	a := state.NewAccount(savings, b.store)
	err := a.Load(b.t.Context())
	b.s.Note(who, "%s", outcome("loads", err))
	b.s.Need(err, story.Failure{Happened: "An account could not be loaded, from a store that works.", Lesson: "Take over what is stored; nothing is an empty account.", Read: "what-to-write"})
	return a
}

func outcome(what string, err error) string {
	if err != nil {
		return fmt.Sprintf("%s: %v", what, err)
	}
	return what
}

// deposit applies and notes it.
func (b *bank) deposit(who string, a *state.Account, request string, amount int64) (state.Balance, error) {
	got, err := a.Apply(b.t.Context(), state.Deposit{Request: request, Amount: amount})
	if err != nil {
		b.s.Note(who, "%s +%d: an error", request, amount)
		return got, err
	}
	b.s.Note(who, "%s +%d: has %d", request, amount, got.Amount)
	return got, nil
}

// gets applies a deposit that nothing is wrong with, and requires that reply.
func (b *bank) gets(who string, a *state.Account, request string, amount int64, want state.Balance, f story.Failure) {
	b.t.Helper()
	got, err := b.deposit(who, a, request, amount)
	if err != nil || got != want {
		f.Got, f.Want = fmt.Sprintf("%+v, error %v", got, err), fmt.Sprintf("%+v", want)
		b.s.Fatal(f)
	}
}
