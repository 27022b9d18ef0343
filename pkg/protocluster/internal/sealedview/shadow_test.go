package sealedview_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// shadow has the model follow a stage: whatever the nodes there do, grant,
// exclude, install, write, activate, has to be a step that the model allows, and
// who serves has to have a lease there. The stage steps from tick to tick of the
// model; what it sends arrives at once or never.
type shadow struct {
	stage  *stage
	m      *model.Model
	s      model.State
	number map[string]uint8         // of a node in the model, by age
	epoch  map[sealedview.Stamp]int // in the model
	self   map[string]time.Duration // the newest promise of a node to itself
	taken  map[model.Kind]int
	fault  string
	over   bool // something was done that the model does not have, or it is full
}

// leaseTicks and storeTicks are L and T_store, in steps of a stage.
const leaseTicks, storeTicks = 5, 12

func shadowParams(p *sealedview.Params) {
	p.Drift, p.Margin, p.Batch = 0, 0, step
	p.Lease, p.Settle, p.Store = leaseTicks*step, leaseTicks*step, storeTicks*step
	p.Renew, p.Suspect = step, 3*step
}

// newShadow returns the shadow of a stage on which all members have just renewed
// their leases, and nobody holds the identity.
func newShadow(t testing.TB, s *stage, ranking string) *shadow {
	t.Helper()
	config := model.Config{
		Nodes: model.Nodes, Initial: len(s.view.Members), Changes: 6, Lease: leaseTicks, Horizon: storeTicks,
		Ranking: ranking, Leaving: true, Override: true, Cancel: true, Variant: model.OverrideCloses,
	}
	if s.mode == sealedview.Store {
		config.Store = model.StoreOnly
	}
	m, err := model.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &shadow{
		stage: s, m: m, s: m.Initial(), number: make(map[string]uint8), epoch: map[sealedview.Stamp]int{s.view.Stamp: 1},
		self: make(map[string]time.Duration), taken: make(map[model.Kind]int),
	}
	for i := range s.view.Members {
		w.number[s.view.Members[i].ID] = uint8(i)
	}
	for _, id := range ids(s.view) {
		w.self[id], _ = s.player(id).Promise(id)
		for c := range uint8(model.Store + 1) {
			if renew := (model.Step{Kind: model.Renew, Node: w.number[id], Peer: c}); m.Enabled(&w.s, renew) {
				w.take(renew)
			}
		}
	}
	clear(w.taken)
	s.shadow = w
	return w
}

func ids(v *sealedview.View) []string {
	var list []string
	for i := range v.Members {
		list = append(list, v.Members[i].ID)
	}
	return list
}

func (w *shadow) fail(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf("at %v, ", w.stage.now) + fmt.Sprintf(format, args...)
	}
}

// take has the model take a step.
func (w *shadow) take(step model.Step) {
	if w.over || w.fault != "" {
		return
	}
	if !w.m.Enabled(&w.s, step) {
		w.fail("the model does not allow that %v, in view %d of %08b", step, w.s.Epoch(), w.s.Newest())
		return
	}
	w.s = w.m.Apply(w.s, step)
	w.taken[step.Kind]++
	if f := w.m.Check(&w.s); f != model.NoFault {
		w.fail("in the model, %s", w.m.Describe(&w.s, f))
	}
}

func (w *shadow) tick() {
	w.take(model.Step{Kind: model.Tick})
	w.compare()
}

// compare checks that who serves has a lease in the model.
func (w *shadow) compare() {
	for id, i := range w.number {
		if !w.over && w.stage.serves(id) && !w.m.Lease(&w.s, int(i)) {
			w.fail("%s serves; in the model it has no lease", id)
		}
	}
}

// stepped follows what a node has done.
func (w *shadow) stepped(p *player, e sealedview.Event, effects []sealedview.Effect) {
	i, ok := w.number[p.self.ID]
	if !ok {
		return
	}
	for _, effect := range effects {
		switch effect := effect.(type) {
		case sealedview.Installed:
			w.installed(i, effect.View)
		case sealedview.Evicted:
			w.installed(i, effect.View)
		case sealedview.Send:
			if g, ok := effect.Message.(sealedview.Grant); ok && g.Granted {
				w.granted(w.number[effect.To.ID], i)
			}
		}
	}
	w.grantedItself(p, i)
	votes := w.m.Grantors(w.s.View(w.s.Installed(int(i)))).Has(int(i)) // or it only agrees with who does
	for id, r := range w.number {
		if _, excluded := p.Promise(id); excluded && votes && !w.s.Excluded(int(i), int(r)) {
			w.take(model.Step{Kind: model.Exclude, Node: r, Peer: i})
		}
	}
	w.read(p, i, e)
	w.compare()
}

func (w *shadow) installed(i uint8, v *sealedview.View) {
	if e, ok := w.epoch[v.Stamp]; ok {
		w.take(model.Step{Kind: model.Install, Node: i, Behind: uint8(w.s.Epoch() - e)})
	} else {
		w.over = true
	}
}

// granted follows a grant of c to i. One that i asked for in an older view is of
// no use to it.
func (w *shadow) granted(i, c uint8) {
	if w.s.Installed(int(i)) == w.s.Installed(int(c)) {
		w.take(model.Step{Kind: model.Renew, Node: i, Peer: c})
	}
}

// grantedItself follows a grant of a node to itself, of which there is no message.
// In a view that it has just installed it may be the second of this instant.
func (w *shadow) grantedItself(p *player, i uint8) {
	renew := model.Step{Kind: model.Renew, Node: i, Peer: i}
	until, _ := p.Promise(p.self.ID)
	if until != w.self[p.self.ID] || until == w.stage.now+leaseTicks*step && !w.over && w.m.Enabled(&w.s, renew) {
		w.self[p.self.ID] = until
		w.take(renew)
	}
}

// read follows what a node has read, which may be the store's grant.
func (w *shadow) read(p *player, i uint8, e sealedview.Event) {
	shown := false
	switch e := e.(type) {
	case sealedview.Read:
		shown = e.Err == nil && e.View != nil && p.View() != nil && e.View.Stamp == p.View().Stamp
	case sealedview.Wrote:
		shown = e.Applied
	}
	if renew := (model.Step{Kind: model.Renew, Node: i, Peer: model.Store}); shown && !w.over && w.m.Enabled(&w.s, renew) {
		w.take(renew)
	}
}

// wrote follows a write.
func (w *shadow) wrote(before, after *sealedview.View) {
	if w.over {
		return
	}
	if after.Stamp == before.Stamp {
		w.amended(before, after)
		return
	}
	change := model.Step{Kind: model.Change}
	for _, m := range before.Members {
		if !after.Has(m.ID) {
			change.Remove |= 1 << w.number[m.ID]
		}
	}
	survivors := model.Set(0)
	for _, m := range after.Members {
		old, ok := before.Member(m.ID)
		if !ok {
			w.number[m.ID] = uint8(len(w.number))
			w.over = w.over || w.number[m.ID] != m.ID[0]-'a' // its rank is that of another
			change.Join |= 1 << w.number[m.ID]
		} else if m.State != old.State {
			change.Leave |= 1 << w.number[m.ID]
		}
		survivors |= 1 << w.number[m.ID]
	}
	if after.Forced {
		change = model.Step{Kind: model.Force, Join: survivors}
	}
	if w.over || w.s.Epoch() == model.MaxViews || change == (model.Step{Kind: model.Change}) {
		w.over = true // too many, or another view of the same members
		return
	}
	w.take(change)
	w.epoch[after.Stamp] = w.s.Epoch()
}

func (w *shadow) amended(before, after *sealedview.View) {
	for _, id := range after.Excluded {
		if !slices.Contains(before.Excluded, id) {
			w.take(model.Step{Kind: model.Exclude, Node: w.number[id], Peer: model.Store})
		}
	}
	switch {
	case before.Override == "" && after.Override != "":
		w.take(model.Step{Kind: model.Intend})
	case before.Override != "" && after.Override == "":
		w.take(model.Step{Kind: model.Cancel})
	}
}

// play has a stage with a shadow go through random trouble.
func play(t testing.TB, seed uint64, mode sealedview.Mode, adjust ...func(*sealedview.Params)) *shadow {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	s := newStage(t, append([]func(*sealedview.Params){shadowParams}, adjust...)...)
	s.mode, s.stagger = mode, step
	all := []string{"a", "b", "c", "d"}
	s.enter(all[:1+rng.IntN(3)]...)
	ranked, ranking := make([]string, len(all)), make([]byte, len(all))
	for i, j := range rng.Perm(len(all)) {
		ranked[i], ranking[i] = all[j], '0'+byte(j)
	}
	s.owner = s.first(ranked...)
	w := newShadow(t, s, string(ranking))
	for range 250 {
		s.trouble(rng, all)
		s.advance(step)
		for _, p := range s.cast {
			if id := p.self.ID; !p.holds && s.may(id) && rng.IntN(2) == 0 {
				s.activate(id)
			}
		}
		if w.over || w.fault != "" {
			break
		}
	}
	return w
}

// trouble has something happen, now and then.
func (s *stage) trouble(rng *rand.Rand, all []string) {
	s.Helper()
	if rng.IntN(6) > 0 {
		return
	}
	ends := append([]string{"store"}, all...)
	one, other := ends[rng.IntN(len(ends))], ends[rng.IntN(len(ends))]
	on := func(id string) bool {
		return slices.ContainsFunc(s.cast, func(p *player) bool { return p.self.ID == id })
	}
	switch rng.IntN(9) {
	case 0, 1:
		s.cuts[[2]string{one, other}] = true
	case 2:
		s.cut([]string{one}, ends...)
	case 3, 4, 5:
		clear(s.cuts)
	case 6:
		if on(one) && rng.IntN(3) == 0 {
			s.crash(one)
		}
	case 7:
		if on(one) {
			s.event(s.player(one), sealedview.Leave{})
		}
	case 8:
		for _, id := range all {
			if !on(id) {
				s.announce(id)
				break
			}
		}
	}
}

func TestShadow_NodesTakeTheStepsOfTheModel(t *testing.T) {
	plays := uint64(150)
	if testing.Short() {
		plays = 15
	}
	taken := make(map[model.Kind]int)
	for _, mode := range []sealedview.Mode{sealedview.Council, sealedview.Store} {
		for seed := range plays {
			w := play(t, seed, mode)
			if w.fault != "" {
				t.Fatalf("play %d, %s leases: %s", seed, mode, w.fault)
			}
			for kind, n := range w.taken {
				taken[kind] += n
			}
		}
	}
	t.Logf("steps by kind: %v", taken)
	for kind := model.Tick; kind <= model.Force && !testing.Short(); kind++ {
		if taken[kind] == 0 && kind != model.Cancel { // that one is rare
			t.Errorf("no step like %v", model.Step{Kind: kind})
		}
	}
}

// The shadow is worth what it notices: rules that are switched off, if that makes a
// difference in so small a world. Twins notice the others.
func TestShadow_MissesRules(t *testing.T) {
	rules := sealedview.Protections()
	for _, rule := range []string{
		"lease wait", "exclusion", "majority", "lease check", "old leases", "override wait",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(150) {
				for _, mode := range []sealedview.Mode{sealedview.Council, sealedview.Store} {
					if w := play(t, seed, mode, rules[rule]); w.fault != "" {
						t.Logf("play %d, %s leases: %s", seed, mode, w.fault)
						return
					}
				}
			}
			t.Errorf("without the rule nodes take no other steps")
		})
	}
}
