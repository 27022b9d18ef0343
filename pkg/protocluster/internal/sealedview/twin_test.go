package sealedview_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// twin is what package model has a state for, kept by the rules that are shipped:
// a Grantor, a Lease and a Gate for each node. It goes where a model goes, and is
// compared with it after each step.
//
// The shipped rules are a little stricter: a lease takes a sealed view, where the
// model only has changes of the view take one that is closed; a removal takes a
// view that was sealed for a lease, where the model looks at what was promised in
// older views; nobody's own word counts in its removal; and a gate knows what
// its node has seen, where the model knows all views and the best of barriers.
type twin struct {
	m     *model.Model
	s     model.State
	fault string // the first difference

	params  sealedview.Params
	now     time.Duration
	views   []*sealedview.View // by epoch
	shown   []time.Duration    // by epoch: when the store showed it last, without an override
	sealed  []time.Duration    // by epoch: since when it is, or far
	made    time.Duration      // the newest
	stored  map[int]time.Duration
	nodes   [model.Nodes]twinNode
	refused int // steps that neither takes
}

type twinNode struct {
	grantor sealedview.Grantor
	lease   *sealedview.Lease
	gate    *sealedview.Gate
	at      int // epoch
}

const (
	ticking = 10 * time.Millisecond
	far     = time.Duration(1 << 61)
)

func nodeName(i int) string {
	if i == model.Store {
		return sealedview.StoreGrantor
	}
	return fmt.Sprint(i)
}

func newTwin(t testing.TB, config model.Config, adjust ...func(*sealedview.Params)) *twin {
	t.Helper()
	config.Variant |= model.OverrideCloses
	m, err := model.New(config)
	if err != nil {
		t.Fatal(err)
	}
	config = m.Config()
	w := &twin{m: m, s: m.Initial(), stored: make(map[int]time.Duration), now: time.Second}
	w.params = sealedview.Params{Lease: time.Duration(config.Lease) * ticking, Store: 365 * 24 * time.Hour, Settle: time.Hour}
	if config.Horizon > 0 {
		w.params.Store = time.Duration(config.Horizon) * ticking
	}
	for _, a := range adjust {
		a(&w.params)
	}
	mode := sealedview.Council
	if config.Store == model.StoreOnly {
		mode = sealedview.Store
	}
	w.views = []*sealedview.View{nil, {
		Cluster: "c", Stamp: sealedview.Stamp{Epoch: 1, Seal: "1"}, Nonce: "1", Mode: mode, Members: membersOf(w.s.Newest()),
	}}
	w.shown, w.sealed = []time.Duration{0, w.now}, []time.Duration{0, w.now - time.Hour}
	for i := range w.nodes {
		w.nodes[i].gate = sealedview.NewGate(nodeName(i), &w.params)
		if w.s.Newest().Members().Has(i) {
			w.install(i, 1)
		}
	}
	w.look()
	return w
}

// membersOf are those of a model's view; of two, the lower number is older.
func membersOf(v model.View) []sealedview.Member {
	var members []sealedview.Member
	for i := range model.Nodes {
		if !v.Members().Has(i) {
			continue
		}
		m := sealedview.Member{ID: nodeName(i), Address: "x", State: sealedview.Active}
		if v.Leaving().Has(i) {
			m.State = sealedview.Leaving
		}
		members = append(members, m)
	}
	return members
}

// owner places the identity as the model's ranking does.
func (w *twin) owner(v *sealedview.View) string {
	for _, r := range w.m.Config().Ranking {
		if m, ok := v.Member(string(r)); ok && m.State == sealedview.Active {
			return m.ID
		}
	}
	return ""
}

// fail notes a difference.
func (w *twin) fail(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf(format, args...)
	}
}

func (w *twin) install(i, epoch int) {
	n, v := &w.nodes[i], w.views[epoch]
	n.at, n.lease = epoch, sealedview.NewLease(v)
	n.grantor.Install(&w.params, v.Stamp)
	n.gate.Install(v)
}

// serves reports whether node i has a lease by the shipped rules.
func (w *twin) serves(i int) bool {
	n := &w.nodes[i]
	return n.at > 0 && w.views[n.at].Has(nodeName(i)) && w.now < n.lease.Until(&w.params)
}

func (w *twin) mayActivate(i int) bool { return w.serves(i) && w.nodes[i].gate.Open(w.owner) }

// mayRemove reports whether who asks all grantors now may take r out, a moment
// later: waits are rounded up.
func (w *twin) mayRemove(r int) bool {
	v, e := w.newest()
	answers := make(map[string]sealedview.Excluded)
	for c := range model.Nodes {
		n := &w.nodes[c]
		if n.at == e && slices.Contains(v.Grantors(), nodeName(c)) && n.grantor.Excludes(nodeName(r)) {
			answers[nodeName(c)] = sealedview.Excluded{
				View: v.Stamp, Target: nodeName(r), Excluded: true, Remaining: n.grantor.Remaining(w.now, nodeName(r)),
			}
		}
	}
	stored, ok := w.stored[r]
	if !ok {
		stored = -1
	}
	return v.Has(nodeName(r)) && sealedview.Due(&w.params, v, nodeName(r), w.now, answers, stored, w.sealed[e]) <= w.now+time.Microsecond
}

func (w *twin) newest() (*sealedview.View, int) { return w.views[len(w.views)-1], len(w.views) - 1 }

// isSealed reports whether a majority of the grantors of the view before have
// left it, or its time is over.
func (w *twin) isSealed(epoch int) bool {
	previous, moved := w.views[epoch].Previous, 0
	for _, id := range previous {
		for i := range w.nodes {
			if id == nodeName(i) && w.nodes[i].at >= epoch {
				moved++
			}
		}
		if id == sealedview.StoreGrantor {
			moved++
		}
	}
	over := epoch == len(w.views)-1 && w.now-w.made >= w.params.Store
	return len(previous) == 0 || moved >= sealedview.Quorum(len(previous)) || over
}

// look brings what nodes know up to what they could know at best: the store's
// evidence, whether their view is sealed, and all barriers.
func (w *twin) look() {
	_, e := w.newest()
	if !w.s.Overridden() {
		w.shown[e] = w.now
	}
	for q := 1; q <= e; q++ {
		if w.sealed[q] == far && w.isSealed(q) {
			w.sealed[q] = w.now
		}
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.at == 0 {
			continue
		}
		n.lease.Evidence(w.shown[n.at])
		if w.sealed[n.at] != far {
			n.lease.Seal(w.now)
		}
		for k := range w.nodes {
			if at := w.nodes[k].at; k != i && at > 0 && w.views[at].Has(nodeName(k)) && w.s.Barrier(k, at) {
				n.gate.Barrier(nodeName(k), w.views[at].Stamp, true)
			}
		}
	}
}

// take has the model and the rules take a step, or both refuse it.
func (w *twin) take(step model.Step) {
	before, enabled := w.s, w.m.Enabled(&w.s, step)
	i, c := int(step.Node), int(step.Peer)
	if step.Kind == model.Renew && c != model.Store && i < model.Nodes && w.nodes[i].at > 0 {
		v := w.views[w.nodes[i].at]
		granted := v.Has(nodeName(i)) && slices.Contains(v.Grantors(), nodeName(c)) &&
			w.nodes[c].grantor.Grant(&w.params, w.now, v.Stamp, nodeName(i))
		if granted != enabled {
			w.fail("%v: granted %t, by the model %t", step, granted, enabled)
		}
	}
	if !enabled {
		w.refused++
		return
	}
	w.s = w.m.Apply(w.s, step)
	w.follow(step, &before)
	w.look()
	w.compare(step)
}

// follow has the rules take a step that the model has taken.
func (w *twin) follow(step model.Step, before *model.State) {
	i, c := int(step.Node), int(step.Peer)
	switch step.Kind {
	case model.Tick:
		w.now += ticking
	case model.Renew:
		w.nodes[i].lease.Grant(nodeName(c), w.now)
	case model.Exclude:
		if c == model.Store {
			w.stored[i] = w.now
		} else {
			w.nodes[c].grantor.Exclude(w.views[w.nodes[c].at].Stamp, nodeName(i))
		}
	case model.Install:
		e, at := w.s.Installed(i), before.Installed(i)
		if at > 0 && !w.views[e].Follows(w.views[at]) {
			w.fail("%v: view %d does not follow %d", step, e, at)
		}
		w.install(i, e)
	case model.Change, model.Force:
		v, e := w.newest()
		next := v.Next(membersOf(w.s.Newest()), fmt.Sprint(e+1))
		if step.Kind == model.Force {
			next.Forced, next.Previous = true, nil
		}
		w.views, w.shown, w.sealed = append(w.views, next), append(w.shown, w.now), append(w.sealed, far)
		w.made, w.stored = w.now, make(map[int]time.Duration)
	}
}

// compare checks that the rules allow what the model allows, but for what they
// are stricter in.
func (w *twin) compare(step model.Step) {
	v, e := w.newest()
	if got, want := v.Grantors(), w.m.Grantors(w.s.Newest()); len(got) != want.Len() || slices.ContainsFunc(got, func(id string) bool {
		return !slices.ContainsFunc([]int{0, 1, 2, 3, model.Store}, func(i int) bool { return id == nodeName(i) && want.Has(i) })
	}) {
		w.fail("after %v the grantors of %v are %v, by the model %05b", step, v.Members, got, want)
	}
	for i := range model.Nodes {
		at := w.nodes[i].at
		lease := w.m.Lease(&w.s, i)
		if got, want := w.serves(i), lease && w.sealed[at] != far; got != want {
			w.fail("after %v node %d serves %t; by the model %t, in view %d sealed at %v", step, i, got, lease, at, w.sealed[at])
		}
		if may := w.mayActivate(i); may && !w.m.MayActivate(&w.s, i) && !w.s.Active().Has(i) {
			w.fail("after %v node %d may activate, by the model it may not", step, i)
		} else if !may && w.serves(i) && w.owner(w.views[at]) == nodeName(i) && w.everybodyAt(i, at) {
			w.fail("after %v node %d may not activate, though all have given a barrier for view %d", step, i, at)
		}
		if may, want := w.mayRemove(i), w.excluded(i, e) && w.now-w.sealed[e] >= w.params.Lease; may != want && w.stored[i] == 0 {
			w.fail("after %v node %d may be removed %t, want %t", step, i, may, want)
		} else if may && !w.m.MayRemove(&w.s, i) {
			w.fail("after %v node %d may be removed, by the model it may not", step, i)
		}
	}
}

// everybodyAt reports whether all other members of a view go by it and hold
// nothing that it assigns to others.
func (w *twin) everybodyAt(i, epoch int) bool {
	for k := range w.nodes {
		if k != i && w.views[epoch].Has(nodeName(k)) && (w.nodes[k].at != epoch || !w.s.Barrier(k, epoch)) {
			return false
		}
	}
	return true
}

// excluded reports whether a majority of the grantors, r not among them, exclude
// r, and owe it nothing.
func (w *twin) excluded(r, epoch int) bool {
	grantors, n := w.m.Grantors(w.s.Newest()), 0
	for c := range model.Nodes {
		if c != r && grantors.Has(c) && w.s.Installed(c) == epoch && w.s.Excluded(c, r) && w.s.Promise(c, r) == 0 {
			n++
		}
	}
	return w.s.Newest().Members().Has(r) && n >= sealedview.Quorum(grantors.Len())
}
