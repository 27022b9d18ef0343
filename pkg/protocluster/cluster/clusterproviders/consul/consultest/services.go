package consultest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Service is what people see of a member.
type Service struct {
	ID, Name, Address string
	Port              int
	Tags              []string
	Meta              map[string]string
	Output            string // of its check
	Passing           bool
}

type service struct {
	Service
	check  string
	ttl    time.Duration
	heard  time.Time
	forget time.Duration // after it was critical for that long
}

// Services are those that are registered, sorted by ID.
func (s *Server) Services() []Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	var all []Service
	for _, x := range s.services {
		x.Passing = time.Since(x.heard) <= x.ttl
		all = append(all, x.Service)
	}
	slices.SortFunc(all, func(a, b Service) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// DropServices has the agent lose what was registered.
func (s *Server) DropServices() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.services)
}

// forget deregisters who was critical for too long.
func (s *Server) forget() {
	for id, x := range s.services {
		if x.forget > 0 && time.Since(x.heard) > x.ttl+x.forget {
			delete(s.services, id)
		}
	}
}

func (s *Server) register(r *http.Request) error {
	var asked struct {
		Service
		Check struct{ CheckID, TTL, Status, DeregisterCriticalServiceAfter string }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return refuse(http.StatusBadRequest, "Request decode failed: %v", err)
	}
	if err := s.may(r, "service:write", asked.Name); err != nil {
		return err
	}
	x := &service{Service: asked.Service, check: asked.Check.CheckID}
	var err error
	if x.ttl, err = time.ParseDuration(asked.Check.TTL); err != nil {
		return refuse(http.StatusBadRequest, "Invalid check: %v", err)
	}
	x.forget, _ = time.ParseDuration(asked.Check.DeregisterCriticalServiceAfter)
	if asked.Check.Status == "passing" {
		x.heard = time.Now()
	}
	s.services[x.ID] = x
	return nil
}

func (s *Server) deregister(r *http.Request, id string) error {
	if err := s.may(r, "service:write", id); err != nil {
		return err
	}
	if s.services[id] == nil {
		return refuse(http.StatusNotFound, "Unknown service ID %q. Ensure that the service ID is passed, not the service name.", id)
	}
	delete(s.services, id)
	return nil
}

func (s *Server) updateCheck(r *http.Request, id string) error {
	var asked struct{ Status, Output string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return refuse(http.StatusBadRequest, "Request decode failed: %v", err)
	}
	s.forget()
	for _, x := range s.services {
		if x.check != id {
			continue
		}
		if err := s.may(r, "service:write", x.Name); err != nil {
			return err
		}
		x.Output = asked.Output
		if asked.Status == "passing" {
			x.heard = time.Now()
		}
		return nil
	}
	return refuse(http.StatusNotFound, "Unknown check ID %q. Ensure that the check ID is passed, not the check name.", id)
}
