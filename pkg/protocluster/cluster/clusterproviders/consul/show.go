package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// forgetAfter is when the agent drops the service of a node that does not pass
// its check: the least that Consul takes.
const forgetAfter = "1m"

// appearance is a service with a check, by which people see a member in Consul.
type appearance struct {
	store      *store
	service    *api.AgentServiceRegistration
	output     string // of the check
	registered bool   // as far as known; the keeper's while that runs
	keeper     *keeper
}

// Show implements cluster.Store. It starts a goroutine, which Close ends.
func (s *store) Show(ctx context.Context, m cluster.Member) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	a := s.appearance(m)
	if old := s.shown; old != nil {
		old.keeper.stop()
		if old.service.ID != a.service.ID {
			if err := old.deregister(ctx); err != nil {
				s.log.Warn("consul: a former self stays visible for a while", "error", err)
			}
		}
	}
	err := a.register(ctx)
	a.keeper = keep(ctx, s.log, "visible", a.pass)
	s.shown = a
	return err
}

// hide ends what Show began.
func (s *store) hide(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if s.shown == nil {
		return nil
	}
	s.shown.keeper.stop()
	if err := s.shown.deregister(ctx); err != nil {
		return err
	}
	s.shown = nil
	return nil
}

func (s *store) appearance(m cluster.Member) *appearance {
	a := &appearance{store: s, output: fmt.Sprintf("%s, hosts %d kinds", m.Status, len(m.Kinds))}
	a.service = &api.AgentServiceRegistration{
		ID:   segment(s.service) + "-" + segment(m.ID),
		Name: s.service,
		Tags: m.Kinds,
		Meta: map[string]string{"member": m.ID, "status": m.Status.String()},
	}
	a.service.Check = &api.AgentServiceCheck{
		CheckID: "service:" + a.service.ID, Name: "in touch", TTL: ttl.String(), Status: api.HealthPassing,
		DeregisterCriticalServiceAfter: forgetAfter,
	}
	host, digits, _ := net.SplitHostPort(m.Address)
	a.service.Address = host
	a.service.Port, _ = strconv.Atoi(digits)
	return a
}

// pass keeps the check passing, and registers what the agent does not know.
func (a *appearance) pass(ctx context.Context) error {
	if !a.registered {
		return a.register(ctx)
	}
	err := a.store.Agent().UpdateTTLOpts(a.service.Check.CheckID, a.output, api.HealthPassing, new(api.QueryOptions).WithContext(ctx))
	if unknown(err) {
		a.registered = false
		return a.register(ctx)
	}
	return a.failed("pass the check of", err)
}

func (a *appearance) register(ctx context.Context) error {
	err := a.store.Agent().ServiceRegisterOpts(a.service, api.ServiceRegisterOpts{}.WithContext(ctx))
	a.registered = err == nil
	return a.failed("register", err)
}

// deregister tells the agent to forget the service, which it may have done.
func (a *appearance) deregister(ctx context.Context) error {
	err := a.store.Agent().ServiceDeregisterOpts(a.service.ID, new(api.QueryOptions).WithContext(ctx))
	if unknown(err) {
		return nil
	}
	return a.failed("deregister", err)
}

func (a *appearance) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return a.store.failed(doing+" "+a.service.ID, a.store.services(), err)
}

// unknown reports that the agent does not know the service or its check: it
// lost its state, or another agent answers at its address. Before 1.10 Consul
// said so by a status of 500.
func unknown(err error) bool {
	status, ok := errors.AsType[api.StatusError](err)
	return ok && (status.Code == http.StatusNotFound ||
		strings.Contains(status.Body, "does not have associated TTL") || strings.Contains(status.Body, "Unknown service"))
}
