package seat

import (
	"context"
	"encoding/json"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// watch has the node read the store when there may be something new.
func (s *Seat) watch(ctx context.Context) {
	for {
		last, another := s.store.last.Load()
		if last != nil {
			err := s.config.Store.Wait(ctx, *last)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.store.waited()
				if !background.Sleep(ctx, s.config.Params.Renew) {
					return
				}
				continue
			}
			s.step(sealedview.Seen{})
		}
		select {
		case <-another:
		case <-ctx.Done():
			return
		}
	}
}

// announce has the store say that the node wants to join, while it does.
func (s *Seat) announce(ctx context.Context) {
	for {
		wish, due := s.wished()
		var retry <-chan time.Time
		if due {
			err := s.put(ctx, wish)
			s.store.answered(&s.store.announces, err, func(*Stats) {})
			if err == nil {
				continue
			}
			retry = time.After(backoff.Half(s.config.Params.Renew))
		}
		select {
		case <-s.asked:
		case <-retry:
		case <-ctx.Done():
			return
		}
	}
}

// wished is what is to be announced, and whether that is still to be done.
func (s *Seat) wished() (wish *sealedview.Member, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wish, s.wish != s.stands || s.doubtful
}

// put announces wish, or withdraws what was announced.
func (s *Seat) put(ctx context.Context, wish *sealedview.Member) error {
	ctx, cancel := context.WithTimeout(ctx, 5*s.config.Params.Lease)
	defer cancel()
	s.mu.Lock()
	s.doubtful = true
	s.mu.Unlock()
	var err error
	if wish == nil {
		err = s.config.Store.Withdraw(ctx)
	} else {
		var data []byte
		if data, err = json.Marshal(wish); err == nil {
			err = s.config.Store.Announce(ctx, wish.ID, data)
		}
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stands, s.doubtful = wish, false
	s.signal()
	return nil
}
