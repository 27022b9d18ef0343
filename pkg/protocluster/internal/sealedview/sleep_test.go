package sealedview_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// alone is a cluster of one member whose leases the store grants. Its test
// answers for the store.
type alone struct {
	testing.TB
	*sealedview.Node
	now    time.Duration
	view   *sealedview.View
	asked  bool // the store, and it has not answered yet
	answer func() sealedview.Event
}

func newAlone(t testing.TB) *alone {
	t.Helper()
	a := &alone{TB: t, Node: sealedview.NewNode(sealedview.Config{
		Self:   sealedview.Member{ID: "a", Address: "a:1"},
		Mode:   sealedview.Store,
		Params: sealedview.Defaults(), Cluster: "c",
	})}
	for range 1000 {
		a.event(sealedview.Tick{})
		a.reply()
		if a.Serves(a.now) {
			return a
		}
		a.now += 10 * time.Millisecond
	}
	t.Fatal("it never serves")
	return nil
}

func (a *alone) event(e sealedview.Event) {
	for _, effect := range a.Step(a.now, e) {
		sent := a.now
		switch effect := effect.(type) {
		case sealedview.ReadStore:
			a.asked = true
			a.answer = func() sealedview.Event { return sealedview.Read{Sent: sent, View: a.view, Version: 1} }
		case sealedview.WriteStore:
			a.asked = true
			a.answer = func() sealedview.Event {
				a.view = effect.View
				return sealedview.Wrote{Sent: sent, Nonce: effect.View.Nonce, Applied: true, Version: 1}
			}
		case sealedview.Violated:
			a.Error(effect.Text)
		}
	}
}

// reply has the store answer all that it was asked.
func (a *alone) reply() {
	for a.asked {
		a.asked = false
		a.event(a.answer())
	}
}

// ask lets time pass until the store is asked again.
func (a *alone) ask() {
	for !a.asked {
		a.now += 10 * time.Millisecond
		a.event(sealedview.Tick{})
	}
}

func TestSlept_EndsTheLease(t *testing.T) {
	a := newAlone(t)
	a.event(sealedview.Slept{})
	if a.Serves(a.now) {
		t.Errorf("it serves on a lease from before it slept")
	}
	a.reply()
	for range 2000 / 10 {
		a.now += 10 * time.Millisecond
		a.event(sealedview.Tick{})
		a.reply()
	}
	if !a.Serves(a.now) {
		t.Errorf("it does not serve 2s after it woke")
	}
}

// What the store is asked before the machine sleeps it may have answered then,
// too: nobody knows how long ago that is.
func TestSlept_VoidsWhatTheStoreWasAsked(t *testing.T) {
	a := newAlone(t)
	a.ask()
	old := a.answer()
	a.event(sealedview.Slept{})
	a.asked = false
	a.event(old)
	if _, ok := old.(sealedview.Read); !ok || a.Serves(a.now) {
		t.Errorf("it serves by %+v, which may be of any age", old)
	}
	began := a.now
	a.ask()
	if a.now-began > 20*time.Millisecond {
		t.Errorf("the store is asked again after %v, want at once", a.now-began)
	}
}

// A view of another cluster, made after the record was deleted, has tokens above
// those before if clocks are right: so they must not be behind by a sleep.
func TestSlept_SetsTheTimeOfDayRight(t *testing.T) {
	s := newStage(t)
	s.enter("a")
	before := s.view.Epoch
	s.event(s.player("a"), sealedview.Slept{For: time.Hour})
	s.enter("b")
	if s.view.Epoch < before+uint64(time.Hour.Milliseconds()) {
		t.Errorf("after an hour of sleep epoch %d follows %d", s.view.Epoch, before)
	}
}
