package consultest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// httpPort, serverPort and serfPort are Consul's own; each server has a host to
// itself.
const (
	httpPort   = 8500
	serverPort = 8300
	serfPort   = 8301
)

// Servers are a real Consul of several servers, each a process with a host and a
// folder of its own. The methods are for the test's goroutine.
type Servers struct {
	// Agents are the servers, which may also be killed, paused and restarted one
	// by one.
	Agents []*Agent

	t     testing.TB
	hosts []string
}

// StartServers runs one server at each host, an address of this machine's
// loopback at which nothing else listens, until the test ends, and returns once
// they have a leader. Below dir they keep their state, over a restart, and their
// logs. If there is no Consul the test is skipped, or fails if CI is "true".
func StartServers(t testing.TB, dir string, hosts ...string) *Servers {
	t.Helper()
	binary := find(t)
	s := &Servers{t: t, hosts: hosts}
	for i, host := range hosts {
		name := fmt.Sprint("consul-", i+1)
		extra := filepath.Join(dir, name+".hcl")
		// A leader is found within a second or two, and who is dead may come back.
		config := "performance { raft_multiplier = 1 }\nautopilot { cleanup_dead_servers = false }\n"
		if err := os.WriteFile(extra, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		log, err := os.Create(filepath.Join(dir, name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		a := &Agent{t: t, ctx: t.Context(), Address: fmt.Sprint(host, ":", httpPort), log: log}
		a.args = []string{binary, "agent", "-server", fmt.Sprint("-bootstrap-expect=", len(hosts)), "-node=" + name,
			"-bind=" + host, "-client=" + host, "-data-dir=" + filepath.Join(dir, name), "-log-level=info", "-config-file=" + extra,
			fmt.Sprint("-http-port=", httpPort), fmt.Sprint("-server-port=", serverPort), fmt.Sprint("-serf-lan-port=", serfPort),
			"-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-dns-port=-1", "-retry-interval=1s"}
		for _, other := range hosts {
			a.args = append(a.args, "-retry-join="+other)
		}
		s.Agents = append(s.Agents, a)
		t.Cleanup(func() {
			a.Kill()
			_ = log.Close()
		})
	}
	s.Restart()
	return s
}

// Restart starts those servers again that were killed, and returns once all have
// a leader.
func (s *Servers) Restart() {
	s.t.Helper()
	var faults []error
	var started []*Agent
	for _, a := range s.Agents {
		if a.cmd == nil {
			started = append(started, a)
			faults = append(faults, a.launch())
		}
	}
	for _, a := range started {
		faults = append(faults, a.await())
	}
	if err := errors.Join(faults...); err != nil {
		s.t.Fatalf("Consul's servers do not start: %v", err)
	}
}

// Kill ends all servers without warning.
func (s *Servers) Kill() {
	for _, a := range s.Agents {
		a.Kill()
	}
}

// Leader is the server that leads, as those which run agree, or nil if they do
// not within d.
func (s *Servers) Leader(d time.Duration) *Agent {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < d; <-tick.C {
		leaders := make(map[*Agent]bool)
		for _, a := range s.Agents {
			if a.cmd != nil {
				leaders[s.leaderOf(a)] = true
			}
		}
		if len(leaders) == 1 {
			for leader := range leaders {
				if leader != nil && leader.cmd != nil {
					return leader
				}
			}
		}
	}
	return nil
}

// leaderOf is the leader as one server knows it.
func (s *Servers) leaderOf(a *Agent) *Agent {
	_, answer, err := a.request(a.ctx, "GET", "status/leader", nil)
	var address string
	if err != nil || json.Unmarshal(answer, &address) != nil {
		return nil
	}
	host, _, _ := net.SplitHostPort(address)
	if i := slices.Index(s.hosts, host); i >= 0 {
		return s.Agents[i]
	}
	return nil
}
