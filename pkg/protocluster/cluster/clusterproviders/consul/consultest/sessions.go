package consultest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	nodeName  = "fake"
	leastTTL  = 10 * time.Second
	ttlFactor = 2 // of what was asked for, how long Consul waits
)

type session struct {
	ID, Name, Behavior string
	TTL, LockDelay     time.Duration
	expiry             *time.Timer
}

// DropSessions loses all sessions and what they hold, as Consul does when it
// takes the agent's machine for dead.
func (s *Server) DropSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		s.invalidate(x)
	}
}

// LockDelays are those of the sessions that are alive.
func (s *Server) LockDelays() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var delays []time.Duration
	for _, x := range s.sessions {
		delays = append(delays, x.LockDelay)
	}
	return delays
}

func (s *Server) createSession(r *http.Request) (any, error) {
	if err := s.may(r, "session:write", nodeName); err != nil {
		return nil, err
	}
	var asked struct {
		Name, Behavior, TTL, LockDelay string
		NodeChecks                     *[]string
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, refuse(http.StatusBadRequest, "Request decode failed: %v", err)
	}
	if asked.NodeChecks == nil || len(*asked.NodeChecks) > 0 {
		return nil, refuse(http.StatusInternalServerError, "the fake has no checks of nodes, and serfHealth is the default")
	}
	x := &session{Name: asked.Name, Behavior: asked.Behavior, LockDelay: 15 * time.Second}
	var err error
	if x.TTL, err = time.ParseDuration(asked.TTL); err != nil || x.TTL < leastTTL {
		return nil, refuse(http.StatusInternalServerError, "Invalid Session TTL '%v', must be between [10s=24h0m0s]", asked.TTL)
	}
	if d, err := time.ParseDuration(asked.LockDelay); err == nil && d > 0 {
		x.LockDelay = d
	}
	x.ID = fmt.Sprintf("00000000-0000-0000-0000-%012d", s.step())
	x.expiry = time.AfterFunc(ttlFactor*x.TTL, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.sessions[x.ID] == x {
			s.invalidate(x)
		}
	})
	s.sessions[x.ID] = x
	return map[string]string{"ID": x.ID}, nil
}

func (s *Server) renewSession(r *http.Request, id string) (any, error) {
	if err := s.may(r, "session:write", nodeName); err != nil {
		return nil, err
	}
	x := s.sessions[id]
	if x == nil {
		return nil, refuse(http.StatusNotFound, "Session id '%s' not found", id)
	}
	x.expiry.Reset(ttlFactor * x.TTL)
	return []any{map[string]any{"ID": x.ID, "Name": x.Name, "TTL": x.TTL.String()}}, nil
}

func (s *Server) destroySession(r *http.Request, id string) (any, error) {
	if err := s.may(r, "session:write", nodeName); err != nil {
		return nil, err
	}
	if x := s.sessions[id]; x != nil {
		s.invalidate(x)
	}
	return true, nil
}

// invalidate ends a session and does to its keys what it was made to do.
func (s *Server) invalidate(x *session) {
	x.expiry.Stop()
	delete(s.sessions, x.ID)
	for key, p := range s.keys {
		if p.Session != x.ID {
			continue
		}
		s.delays[key] = time.Now().Add(x.LockDelay)
		if x.Behavior == "delete" {
			s.remove(key)
		} else {
			p.Session, p.ModifyIndex = "", s.step()
		}
	}
}
