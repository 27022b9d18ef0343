package model_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// small are configurations in which all steps can be tried and all facts kept.
func small() []model.Config {
	return []model.Config{
		{Nodes: 2, Changes: 1},
		{Nodes: 2, Changes: 2, Lease: 1},
		{Nodes: 2, Changes: 2, Store: model.StoreNever},
		{Nodes: 2, Initial: 1, Changes: 2, Ranking: "10", Lease: 1},
		{Nodes: 2, Changes: 1, Horizon: 2, Override: true, Cancel: true, Lease: 1},
		{Nodes: 2, Initial: 1, Plan: "+1,~1", Ranking: "10", Leaving: true, Lease: 1},
		{Nodes: 3, Changes: 2, Store: model.StoreOnly, Lease: 1},
		{Nodes: 3, Initial: 2, Changes: 2, Store: model.StoreOnly, Leaving: true, Lease: 1, Ranking: "201"},
		{Nodes: 3, Changes: 3, Store: model.StoreOnly, Lease: 1},
		{Nodes: 3, Plan: "~0~1,-0", Store: model.StoreOnly, Leaving: true, Lease: 1},
		{Nodes: 3, Initial: 1, Plan: "+1,+2~0,~1", Ranking: "120", Store: model.StoreOnly, Leaving: true, Lease: 1},
		{Nodes: 3, Initial: 2, Plan: "+2,~2", Ranking: "201", Store: model.StoreOnly, Leaving: true, Lease: 1},
	}
}

// place is where the members of the newest view are.
type place struct {
	newest model.View
	behind [model.Nodes]int // how many views; -1 if it has installed none, or is no member
	holds  model.Set        // of the members
}

// power is what the nodes can do there.
type power struct{ serve, activate, remove model.Set }

func (p power) covers(q power) bool {
	return q.serve&^p.serve|q.activate&^p.activate|q.remove&^p.remove == 0
}

func look(m *model.Model, s *model.State) (place, power) {
	members := s.Newest().Members()
	at, can := place{newest: s.Newest(), holds: s.Active() & members}, power{serve: m.Serving(s)}
	for i := range model.Nodes {
		at.behind[i] = -1
		if members.Has(i) && s.Installed(i) > 0 {
			at.behind[i] = s.Epoch() - s.Installed(i)
		}
		if m.MayActivate(s, i) {
			can.activate |= 1 << i
		}
		if m.Config().Plan == "" && m.Enabled(s, remove(i)) {
			can.remove |= 1 << i
		}
	}
	return at, can
}

// everything is what can be done in each place of a configuration, and in how
// many states.
func everything(t testing.TB, m *model.Model) (seen map[place]map[power]bool, states int) {
	t.Helper()
	seen = make(map[place]map[power]bool)
	known := make(map[model.State]bool)
	var next []model.State
	add := func(s model.State) {
		if known[s] {
			return
		}
		known[s] = true
		next = append(next, s)
		at, can := look(m, &s)
		if seen[at] == nil {
			seen[at] = make(map[power]bool)
		}
		seen[at][can] = true
		if f := m.Check(&s); f != model.NoFault {
			t.Fatalf("%v: %v", m.Config(), f)
		}
	}
	add(m.Start())
	x := m.Expander(func(_ model.Step, s *model.State) { add(*s) })
	for len(next) > 0 {
		s := next[len(next)-1]
		next = next[:len(next)-1]
		x.Expand(&s)
	}
	return seen, len(known)
}

// covered reports whether all that is in some can is in many too.
func covered(many, some map[place]map[power]bool) (missing place, can power, ok bool) {
	for at, powers := range some {
		for can := range powers {
			ok := false
			for more := range many[at] {
				ok = ok || more.covers(can)
			}
			if !ok {
				return at, can, false
			}
		}
	}
	return place{}, power{}, true
}

// What an Expander leaves out and forgets makes no difference: in each place
// that the members of the newest view can get to, the nodes can do as much with
// it as without; and no more.
func TestExpander_LosesNothing(t *testing.T) {
	for _, c := range small() {
		t.Run(c.String(), func(t *testing.T) {
			if testing.Short() && c.Leaving && c.Store != model.StoreOnly {
				t.Skip("it takes as long as all others four times over")
			}
			got, few := everything(t, newModel(t, c))
			c.Plain = true
			want, all := everything(t, newModel(t, c))
			if at, can, ok := covered(got, want); !ok {
				t.Errorf("only if nothing is left out, in %+v nodes can %+v", at, can)
			}
			if at, can, ok := covered(want, got); !ok {
				t.Errorf("only if steps are left out, in %+v nodes can %+v", at, can)
			}
			t.Logf("%d states instead of %d", few, all)
		})
	}
}

// With nothing left out and nothing forgotten an Expander takes the steps that
// are enabled, and they do what Apply does.
func TestExpander_TakesEnabledSteps(t *testing.T) {
	for _, c := range small() {
		c.Plain = true
		m := newModel(t, c)
		queue := []model.State{m.Start()}
		known := map[model.State]bool{}
		for len(queue) > 0 && len(known) < 3000 {
			from := queue[0]
			queue = queue[1:]
			m.Expander(func(step model.Step, s *model.State) {
				if !m.Enabled(&from, step) {
					t.Fatalf("%v: %v is taken but not enabled", c, step)
				}
				if got := m.Apply(from, step); got != *s {
					t.Fatalf("%v: Apply(%v) = %+v, want %+v", c, step, got, *s)
				}
				if !known[*s] {
					known[*s] = true
					queue = append(queue, *s)
				}
			}).Expand(&from)
		}
	}
}

// The audit asks more of each step, and finds nothing.
func TestAudit(t *testing.T) {
	for _, c := range small() {
		c.Audit = true
		everything(t, newModel(t, c))
	}
}
