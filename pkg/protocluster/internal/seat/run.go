package seat

import (
	"context"
	"errors"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// farewell is how many leases a node takes to leave at most.
const farewell = 3

// Run takes the seat and keeps it until the node has left the view after Leave,
// or ctx ends. When ctx ends it leaves the view as well as that can be done in
// three leases, without waiting for the host: nothing is dispatched from then on.
// It is called once. Everything that it started has ended when it returns, and
// the host is not called any more. An error is something that waiting does not
// mend.
func (s *Seat) Run(ctx context.Context) error {
	session, err := s.config.Service.open(s.lines)
	if err != nil {
		return err
	}
	defer session.close()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if err := s.begin(life); err != nil {
		return err
	}
	if !s.await(ctx) {
		s.hasten()
		within, cancel := context.WithTimeout(life, farewell*s.config.Params.Lease)
		s.await(within)
		cancel()
	}
	s.end()
	s.lines.finish()
	stop()
	_ = s.tasks.Stop(context.WithoutCancel(ctx)) // which waits for all of them
	s.recant(context.WithoutCancel(ctx))
	return nil
}

// begin starts what keeps the seat.
func (s *Seat) begin(life context.Context) error {
	s.mu.Lock()
	if s.phase != fresh {
		s.mu.Unlock()
		return errors.New("seat: Run was called before; make a new seat for each start")
	}
	s.phase = running
	s.tasks = background.NewTasks(life)
	s.lines.begin(life)
	leaving := s.leaving
	s.mu.Unlock()
	s.tasks.Go("keeping the time", s.keepTime)
	s.tasks.Go("calling the host", s.attend)
	s.tasks.Go("watching the view store", s.watch)
	s.tasks.Go("announcing the node", s.announce)
	if leaving {
		s.step(sealedview.Leave{})
	} else {
		s.step(sealedview.Tick{})
	}
	return nil
}

// await returns once the node has left, or is no member and goes no further: true;
// or when ctx ends: false.
func (s *Seat) await(ctx context.Context) bool {
	for {
		done, changed := s.gone()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// gone reports whether there is nothing more to leave, and what is closed when
// that may have changed.
func (s *Seat) gone() (bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	outside := s.node.View() == nil && s.stands == nil && !s.doubtful && s.writing == 0
	return s.left || s.leaving && outside, s.changed
}

// hasten has the node leave without waiting for its host.
func (s *Seat) hasten() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.Leave()
}

// end has nothing happen to the node any more.
func (s *Seat) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = over
	s.until.Store(never)
	s.place.Store(&place{self: s.self.ID})
	s.calls = nil
	s.signal()
}

// recant withdraws what is still announced, as well as that can be done.
func (s *Seat) recant(ctx context.Context) {
	s.mu.Lock()
	stands := s.stands != nil || s.doubtful
	s.mu.Unlock()
	if stands {
		_ = s.put(ctx, nil) // the store forgets it in time
	}
}

// keepTime gives the node its turns, and looks now and then whether the machine
// has slept.
func (s *Seat) keepTime(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.turn:
		case <-ctx.Done():
			return
		}
		timer.Reset(s.tick())
	}
}

// tick gives the node its turn if that is due, and returns how long it can do
// without another.
func (s *Seat) tick() time.Duration {
	s.mu.Lock()
	var todo errands
	if s.clock.Now() >= s.due() || s.dozed() {
		todo = s.advance(sealedview.Tick{})
	}
	nap := s.config.Params.Renew / 5
	if s.phase == running {
		nap = max(0, min(nap, s.due()-s.clock.Now()))
	}
	s.nap = s.clock.Now() + nap
	s.mu.Unlock()
	s.do(todo)
	return nap
}
