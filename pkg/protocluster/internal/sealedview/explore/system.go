package main

import (
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// protocol is a model as a search knows it. It also notes who served, for a model
// in which nobody ever does would be safe, and how many views there were.
type protocol struct {
	*model.Model
	seen *seen
}

// seen is what was seen in any state.
type seen struct {
	owners atomic.Uint32 // nodes that owned the identity in a view
	served atomic.Uint32 // nodes that could dispatch for it
	epochs atomic.Uint32 // of the newest view; a bit for each
}

func newProtocol(config model.Config) (protocol, error) {
	m, err := model.New(config)
	return protocol{m, new(seen)}, err
}

func (p protocol) Expander(visit func(model.Step, *model.State)) func(*model.State) {
	return p.Model.Expander(visit).Expand
}

// Initial is where a search begins.
func (p protocol) Initial() model.State { return p.Start() }

func (p protocol) Hash(s *model.State, seed uint64) uint64 { return s.Hash(seed) }

// Class is the kind of a step, for walks.
func (p protocol) Class(step model.Step) int { return int(step.Kind) }

func (p protocol) Check(s *model.State) string {
	note(&p.seen.epochs, 1<<s.Epoch())
	if owner := p.Owner(s.Newest()); owner >= 0 {
		note(&p.seen.owners, 1<<owner)
	}
	if s.Active() == 0 && !p.Config().Audit {
		return ""
	}
	note(&p.seen.served, uint32(p.Serving(s)))
	if f := p.Model.Check(s); f != model.NoFault {
		return p.Describe(s, f)
	}
	return ""
}

// note adds bits, which are rarely new.
func note(all *atomic.Uint32, bits uint32) {
	if bits&^all.Load() != 0 {
		all.Or(bits)
	}
}

// idle are the nodes that owned the identity but never could dispatch for it.
func (p protocol) idle() model.Set {
	return model.Set(p.seen.owners.Load() &^ p.seen.served.Load())
}

// unbounded reports whether the window for views was never full and the changes
// not counted, so that the states are all states there are.
func (p protocol) unbounded() bool {
	c := p.Config()
	return c.Changes == 0 && p.seen.epochs.Load()>>c.Window == 0
}
