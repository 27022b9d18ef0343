package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ports"
)

// agent is a Consul of the demo's own, one process that is agent and server. It
// runs in development mode, which keeps everything in memory.
type agent struct {
	process

	url string // of its HTTP API, and of its pages
}

// findConsul returns the program: given, or else $CONSUL_BIN, or else the one in
// the PATH, or else the one that make consul makes.
func findConsul(given string) (string, error) {
	if program := cmp.Or(given, os.Getenv("CONSUL_BIN")); program != "" {
		return program, nil
	}
	if program, err := exec.LookPath("consul"); err == nil {
		return program, nil
	}
	const made = ".bin/consul"
	if _, err := os.Stat(made); err != nil {
		return "", fmt.Errorf("demo: there is no Consul: %w; run make consul, or set CONSUL_BIN", err)
	}
	return made, nil
}

// startConsul returns once the agent answers as a cluster needs it.
func startConsul(ctx context.Context, program string) (*agent, error) {
	for attempt := 1; ; attempt++ { // others may take a port meanwhile
		free, err := ports.Free(ctx, 3)
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		a := &agent{process: process{name: "Consul"}, url: fmt.Sprintf("http://127.0.0.1:%d", free[0])}
		err = a.start(func(string) {}, program, "agent", "-dev", "-bind=127.0.0.1", "-node=demo", "-log-level=warn",
			fmt.Sprint("-http-port=", free[0]), fmt.Sprint("-server-port=", free[1]), fmt.Sprint("-serf-lan-port=", free[2]),
			"-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-dns-port=-1",
			"-hcl=disable_update_check = true", "-hcl=connect { enabled = false }")
		if err != nil {
			return nil, fmt.Errorf("demo: start %s: %w; set CONSUL_BIN to a Consul that works", program, err)
		}
		if err = a.serves(ctx); err == nil {
			return a, nil
		}
		if attempt == 3 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// serves waits until the agent answers a consistent read.
func (a *agent) serves(ctx context.Context) error {
	var asking sync.WaitGroup
	defer asking.Wait()
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	up := make(chan struct{})
	asking.Go(func() {
		next := time.NewTicker(50 * time.Millisecond)
		defer next.Stop()
		for !a.answers(asked) {
			select {
			case <-next.C:
			case <-asked.Done():
				return
			}
		}
		close(up)
	})
	return a.ready(ctx, up)
}

// answers reports whether there is a leader that can tell that a key is not there.
func (a *agent) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/v1/kv/demo?consistent", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusNotFound
}
