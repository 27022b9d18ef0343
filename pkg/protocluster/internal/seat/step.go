package seat

import (
	"context"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// errands are what has come of steps and is to be done without the lock.
type errands struct {
	order
	self    string // the node's id
	effects []sealedview.Effect
	leaving bool // for good
	hurry   bool // the node wants its turn earlier than it did before
	news    bool // there is something to tell the host
}

// order is when a node asked for something.
type order struct {
	node *sealedview.Node
	at   time.Duration
}

// step has something happen to the node.
func (s *Seat) step(e sealedview.Event) {
	s.mu.Lock()
	todo := s.advance(e)
	s.mu.Unlock()
	s.do(todo)
}

// answer has the answer of the store to an order happen to the node that gave it,
// unless that is not the seat's any more.
func (s *Seat) answer(o order, e sealedview.Event) {
	s.mu.Lock()
	var todo errands
	if o.node == s.node {
		todo = s.advance(e)
	}
	s.mu.Unlock()
	s.do(todo)
}

// advance has something happen to the node, with the lock held. Whatever comes of
// it, the end of the lease is known to all before any of that is done.
func (s *Seat) advance(e sealedview.Event) errands {
	todo := errands{self: s.self.ID, leaving: s.leaving}
	if s.phase != running {
		return todo
	}
	now := s.clock.Now()
	if s.dozed() {
		s.until.Store(never) // before anybody sees that the sleep is taken in
		asleep := s.clock.Asleep()
		slept := asleep - time.Duration(s.asleep.Swap(int64(asleep)))
		s.stats.Sleeps++
		s.edge.slept(now)
		s.slept += slept
		s.feed(&todo, now, sealedview.Slept{For: slept})
	}
	s.feed(&todo, now, e)
	if s.closing && !s.drained && s.isLeaving() {
		s.drained = true
		s.feed(&todo, now, sealedview.Drained{})
	}
	until := s.node.Until()
	before := time.Duration(s.until.Swap(int64(until)))
	gap := s.clock.Now() >= before // so somebody may have been told no since the last step
	if s.edge.pass(now, until, gap, s.tell) {
		s.signal()
	}
	todo.order = order{s.node, now}
	todo.news = len(s.calls) > 0
	todo.hurry = s.due() < s.nap
	return todo
}

// dozed reports whether the machine has slept since that was last taken in.
func (s *Seat) dozed() bool { return s.clock.Asleep()-time.Duration(s.asleep.Load()) > tardy }

// isLeaving reports whether the view shows that the node is leaving.
func (s *Seat) isLeaving() bool {
	p := s.place.Load()
	if p.view == nil {
		return false
	}
	m, ok := p.view.Member(p.self)
	return ok && m.State == sealedview.Leaving
}

// due is when the node wants its next turn, or its host has to be told of the end
// of its lease.
func (s *Seat) due() time.Duration {
	due := s.edge.next(time.Duration(s.until.Load()))
	if !s.node.Evicted() {
		due = min(due, s.node.Next())
	}
	return due
}

// feed makes one step, and does what of it needs the lock.
func (s *Seat) feed(todo *errands, now time.Duration, e sealedview.Event) {
	for _, effect := range s.node.Step(now, e) {
		switch effect := effect.(type) {
		case sealedview.Installed:
			s.installed(effect.View)
		case sealedview.Evicted:
			s.evicted(effect.View)
		case sealedview.WriteStore:
			s.writing++
		case sealedview.Violated:
			s.stats.Violations++
		case sealedview.Send:
			if g, ok := effect.Message.(sealedview.Grant); ok && g.Granted {
				s.stats.Grants++
			}
		}
		todo.effects = append(todo.effects, effect)
	}
	if r, ok := e.(sealedview.Received); ok {
		if _, ok := r.Message.(sealedview.Barrier); ok {
			s.signal() // something can be claimed, perhaps
		}
	}
}

func (s *Seat) installed(v *sealedview.View) {
	s.stats.Views++
	s.edge.renewed(time.Duration(s.until.Load()))
	s.place.Store(&place{s.self.ID, v})
	s.tell(call{what: seated, self: s.self.ID, view: v})
	s.wish = nil
	poke(s.asked)
	s.signal()
}

func (s *Seat) evicted(v *sealedview.View) {
	if !s.leaving {
		s.stats.Evictions++
	}
	s.edge = edge{}
	s.place.Store(&place{self: s.self.ID})
	s.tell(call{what: unseated, self: s.self.ID, view: v})
	s.signal()
}

// signal says that something is worth another look.
func (s *Seat) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// do carries out what has come of steps, in that order, but for what goes to the
// host. Nothing of it waits.
func (s *Seat) do(todo errands) {
	for _, effect := range todo.effects {
		switch effect := effect.(type) {
		case sealedview.Send:
			frame, err := s.frame(effect.Message)
			if err != nil {
				s.config.Logger.Error("seat: a message cannot be sent", "member", todo.self, "error", err)
				continue
			}
			_, knock := effect.Message.(sealedview.Knock) // which asks whether there is a way of its own
			s.lines.send(todo.self, effect.To, frame, knock)
		case sealedview.ReadStore:
			s.tasks.Go("reading the view store", func(ctx context.Context) { s.store.read(ctx, todo.order) })
		case sealedview.WriteStore:
			s.tasks.Go("writing the view store", func(ctx context.Context) { s.store.write(ctx, todo.order, effect) })
		case sealedview.Installed:
			s.lines.know(effect.View.Members...)
		case sealedview.Evicted:
			s.lines.know(effect.View.Members...)
			if todo.leaving {
				s.lines.part()
			}
		case sealedview.Warn:
			s.config.Logger.Warn("seat: "+effect.Text, "member", todo.self)
		case sealedview.Violated:
			s.config.Logger.Error("seat: an invariant does not hold: "+effect.Text, "member", todo.self)
		}
	}
	if todo.news {
		poke(s.told)
	}
	if todo.hurry {
		poke(s.turn)
	}
}

// pushed is a view and the frame that carries it.
type pushed struct {
	view  *sealedview.View
	frame *seatpb.Frame
}

// frame is a message as it is sent. A view is encoded once for all it goes to: each
// of the council may hand it to everybody, and its JSON grows with the members.
func (s *Seat) frame(m sealedview.Message) (*seatpb.Frame, error) {
	p, ok := m.(sealedview.Push)
	if !ok {
		return encode(m)
	}
	if last := s.pushed.Load(); last != nil && last.view == p.View {
		return last.frame, nil
	}
	frame, err := encode(m)
	if err == nil {
		s.pushed.Store(&pushed{p.View, frame})
	}
	return frame, err
}
