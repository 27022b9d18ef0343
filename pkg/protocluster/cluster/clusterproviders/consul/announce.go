package consul

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"
)

// lockDelay is how long Consul keeps a key from being acquired again after its
// session: the least that can be said, for api leaves out 0, and then it is 15 s.
const lockDelay = time.Millisecond

// announcement is a key that Consul deletes with its session, and that is when
// nobody has renewed it for the TTL, or up to twice as long.
type announcement struct {
	store   *store
	key     string
	data    []byte
	session string // "" before there is one; the keeper's while that runs
	keeper  *keeper
}

var errTaken = errors.New("another session holds the announcement of that id; every start needs an id of its own")

// Announce implements cluster.Store. It starts a goroutine, which Withdraw ends.
func (s *store) Announce(ctx context.Context, id string, data []byte) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if err := s.withdraw(ctx); err != nil {
		return err
	}
	a := &announcement{store: s, key: s.joiner(id), data: data}
	s.announced = a
	if err := a.make(ctx); err != nil {
		return err
	}
	a.keeper = keep(ctx, s.log, "announced", a.renew)
	return nil
}

// Withdraw implements cluster.Store.
func (s *store) Withdraw(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	return s.withdraw(ctx)
}

// withdraw destroys the session, which deletes the key.
func (s *store) withdraw(ctx context.Context) error {
	a := s.announced
	if a == nil {
		return nil
	}
	a.keeper.stop()
	if a.session != "" {
		if _, err := s.Session().Destroy(a.session, new(api.WriteOptions).WithContext(ctx)); err != nil {
			return s.failed("withdraw "+a.key, s.sessions(), err)
		}
	}
	s.announced = nil
	return nil
}

// make creates the session and the key.
func (a *announcement) make(ctx context.Context) error {
	// Without checks, for else the agent's health would decide.
	session := &api.SessionEntry{Name: a.key, TTL: ttl.String(), Behavior: api.SessionBehaviorDelete, LockDelay: lockDelay}
	id, _, err := a.store.Session().CreateNoChecks(session, new(api.WriteOptions).WithContext(ctx))
	if err == nil && id == "" {
		err = errForeign
	}
	if err != nil {
		return a.store.failed("create a session for "+a.key, a.store.sessions(), err)
	}
	a.session = id
	return a.acquire(ctx)
}

// acquire writes the key, or finds it written.
func (a *announcement) acquire(ctx context.Context) error {
	pair := &api.KVPair{Key: a.key, Value: a.data, Session: a.session}
	got, _, err := a.store.KV().Acquire(pair, new(api.WriteOptions).WithContext(ctx))
	for try := 1; err == nil && !got && try < 4; try++ {
		if err = sleep(ctx, 5*lockDelay); err == nil { // it may just have been withdrawn
			got, _, err = a.store.KV().Acquire(pair, new(api.WriteOptions).WithContext(ctx))
		}
	}
	if err == nil && !got {
		err = errTaken
	}
	if err != nil {
		return a.store.failed("write "+a.key, a.store.keys(), err)
	}
	return nil
}

// renew keeps the session, or makes another if that is lost, and puts the key
// back if somebody deleted it.
func (a *announcement) renew(ctx context.Context) error {
	// Not api's Renew, whose errors do not have Consul's words in them.
	_, err := a.store.Raw().Write("/v1/session/renew/"+a.session, nil, nil, new(api.WriteOptions).WithContext(ctx))
	if status, ok := errors.AsType[api.StatusError](err); ok && status.Code == http.StatusNotFound {
		return a.make(ctx)
	}
	if err != nil {
		return a.store.failed("renew the session of "+a.key, a.store.sessions(), err)
	}
	return a.acquire(ctx)
}
