package model_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// world is one state that steps are taken in.
type world struct {
	testing.TB
	*model.Model
	s model.State
}

func newWorld(t testing.TB, c model.Config) *world {
	t.Helper()
	m := newModel(t, c)
	return &world{t, m, m.Initial()}
}

func (w *world) do(steps ...model.Step) {
	w.Helper()
	for _, step := range steps {
		if !w.Enabled(&w.s, step) {
			w.Fatalf("%v is not enabled", step)
		}
		w.s = w.Apply(w.s, step)
		if f := w.Check(&w.s); f != model.NoFault {
			w.Fatalf("%v: %v", step, f)
		}
	}
}

func (w *world) refuse(why string, step model.Step) {
	w.Helper()
	if w.Enabled(&w.s, step) {
		w.Errorf("%v is enabled, though %s", step, why)
	}
}

func tick() model.Step                { return model.Step{Kind: model.Tick} }
func activate(i uint8) model.Step     { return model.Step{Kind: model.Activate, Node: i} }
func release(i uint8) model.Step      { return model.Step{Kind: model.Release, Node: i} }
func renew(i, c uint8) model.Step     { return model.Step{Kind: model.Renew, Node: i, Peer: c} }
func exclude(c, i uint8) model.Step   { return model.Step{Kind: model.Exclude, Node: i, Peer: c} }
func install(i uint8) model.Step      { return model.Step{Kind: model.Install, Node: i} }
func lag(i, behind uint8) model.Step  { return model.Step{Kind: model.Install, Node: i, Behind: behind} }
func remove(i int) model.Step         { return model.Step{Kind: model.Change, Remove: 1 << i} }
func join(i int) model.Step           { return model.Step{Kind: model.Change, Join: 1 << i} }
func leave(i int) model.Step          { return model.Step{Kind: model.Change, Leave: 1 << i} }
func force(left model.Set) model.Step { return model.Step{Kind: model.Force, Join: left} }

func TestLease_IsAMajorityOfFreshGrants(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 3})
	w.do(renew(0, 0))
	w.refuse("one of three grants is no majority", activate(0))
	w.do(tick(), renew(0, 1), activate(0))
	if age, ok := w.LeaseAge(&w.s, 0); w.Serving(&w.s) != 1 || !ok || age != 1 {
		t.Errorf("serving %b, lease age %d %v; want node 0, 1", w.Serving(&w.s), age, ok)
	}
	w.do(tick())
	if w.Serving(&w.s) != 0 || w.s.Active() != 1 {
		t.Errorf("with an expired grant %b serves and %b holds; want nobody, node 0", w.Serving(&w.s), w.s.Active())
	}
	w.do(renew(0, 2))
	if w.Serving(&w.s) != 1 {
		t.Errorf("with a lease again %b serves, want node 0", w.Serving(&w.s))
	}
}

func TestRemoval_NeedsAMajorityAndTheEndOfPromises(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 3})
	w.do(renew(0, 1), tick(), exclude(1, 0))
	w.refuse("it is excluded", renew(0, 1))
	w.refuse("one grantor is no majority", remove(0))
	w.do(exclude(2, 0))
	w.refuse("node 1 owes it a tick", remove(0))
	w.do(tick(), remove(0))
	if got := w.s.Newest().Members(); got != 0b110 {
		t.Errorf("members = %b, want 110", got)
	}
	w.refuse("node 1 still goes by view 1, in which it excluded it", renew(0, 1))
}

func TestChanges_NeedTheViewBeforeClosed(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 4, Initial: 1, Changes: 4, Leaving: true})
	w.do(join(1))
	for _, step := range []model.Step{join(2), leave(0), leave(1)} {
		w.refuse("node 0 still goes by view 1", step)
	}
	w.do(install(1), exclude(1, 0), exclude(model.Store, 0), tick(), tick())
	w.refuse("node 0 still goes by view 1", remove(0))
	w.do(install(0), join(2), install(2))
	w.refuse("node 2 is admitted already", join(2))
}

// R2 waits for what was promised in the view before, R3 for what may have been
// in the one before that.
func TestRemoval_WaitsForOlderPromises(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 4, Initial: 3})
	w.do(exclude(0, 1), exclude(1, 1), model.Step{Kind: model.Change, Remove: 0b10, Join: 0b1000}, tick(), tick())
	w.do(renew(0, 0), renew(0, 1), activate(0), install(1), install(2), install(3), exclude(2, 0), exclude(3, 0))
	w.refuse("node 1 promised it a lease in view 1", remove(0))
	w.do(tick(), tick(), remove(0))

	w = newWorld(t, model.Config{Nodes: 4, Initial: 2, Changes: 4})
	w.do(renew(0, 0), renew(0, model.Store), activate(0), join(2), install(1), join(3), install(1), install(2))
	w.do(exclude(1, 0), exclude(2, 0))
	w.refuse("view 3 is new", remove(0))
	w.do(tick(), tick(), remove(0))
}

func TestActivation_AwaitsBarriersOfAllEarlierOwners(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 3, Initial: 2, Ranking: "201"})
	w.do(renew(0, 0), renew(0, 1), activate(0), join(2), install(2), install(1), renew(2, 1), renew(2, 2))
	w.refuse("node 0 has not given its barrier", activate(2))
	w.do(install(0))
	w.refuse("node 0 still holds it", activate(2))
	w.do(release(0), activate(2))
}

func TestBarrier_OfANewerViewIsNoBarrier(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 2, Initial: 1, Ranking: "10", Leaving: true})
	w.do(renew(0, 0), activate(0), join(1), install(0), install(1), renew(1, 0), renew(1, 1), leave(1), install(0))
	w.do(renew(0, 0), renew(0, model.Store))
	w.refuse("node 0 gave its barrier for view 3, where it is the owner again", activate(1))
}

func TestLeave_TakesOutWhoHasDrained(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 2, Changes: 4, Leaving: true})
	w.do(renew(0, 0), renew(0, 1), activate(0), leave(0), install(1))
	w.refuse("it does not know that it is leaving", remove(0))
	w.do(install(0))
	w.refuse("it holds the identity", remove(0))
	w.do(renew(1, 1), renew(1, model.Store))
	w.refuse("the leaver's barrier counts", activate(1))
	w.do(release(0), activate(1), remove(0), install(1), leave(1), install(1), release(1), remove(1))
	if got := w.s.Newest(); got != 0 {
		t.Errorf("after the last has left the view is %x, want nobody", got)
	}
}

func TestOverride_WaitsForEvidenceToEnd(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 3, Initial: 2, Horizon: 3, Override: true, Cancel: true})
	intend, cancel := model.Step{Kind: model.Intend}, model.Step{Kind: model.Cancel}
	w.do(renew(0, 0), renew(0, 1), activate(0), intend, tick(), tick())
	w.refuse("it stands for two ticks only", force(0b10))
	w.do(cancel, intend, tick(), tick())
	w.refuse("a new override waits anew", force(0b10))
	w.do(renew(0, 0), renew(0, 1))
	if got := w.Serving(&w.s); got != 1 {
		t.Errorf("serving = %b, want node 0", got)
	}
	w.do(tick())
	if got := w.Serving(&w.s); got != 0 {
		t.Errorf("without fresh evidence %b serves, want nobody", got)
	}
	w.do(force(0b110))
	if got := w.s.Newest().Members(); got != 0b110 {
		t.Errorf("members = %b, want 110: who survives and who joins", got)
	}
}

// A node that knows nothing of a view in between may go from any to any.
func TestInstall_OnlyForward(t *testing.T) {
	w := newWorld(t, model.Config{Nodes: 3, Initial: 1})
	w.refuse("it is no member yet", install(1))
	w.do(join(1), install(0), join(2))
	w.refuse("node 2 is not in it", lag(2, 1))
	w.do(lag(1, 1), install(1))
	w.refuse("epochs only grow", lag(1, 1))
}
