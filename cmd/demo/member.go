package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
)

// member is a cluster member that runs as a process of its own.
type member struct {
	process

	address  string // of its remote
	endpoint string // of its membership provider: a seed for others
	page     string // the URL of its live page, if it serves one
}

// startMember runs the program and returns once it says that it is up.
func startMember(ctx context.Context, program, name string, flags []string) (*member, error) {
	m := &member{process: process{name: name}}
	up := make(chan struct{})
	read := func(line string) {
		var entry struct{ Msg, Address, Endpoint, URL string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			return // not a line of the log
		}
		switch {
		case m.address != "": // who was up may read these
		case entry.Endpoint != "":
			m.endpoint = entry.Endpoint
		case entry.URL != "":
			m.page = entry.URL
		case entry.Msg == "up":
			m.address = entry.Address
			close(up)
		}
	}
	args := append([]string{"-name", name, "-cluster", clusterName, "-log-level", "debug"}, flags...)
	if err := m.start(read, program, args...); err != nil {
		return nil, fmt.Errorf("demo: start %s: %w; build it with make demo", program, err)
	}
	if err := m.ready(ctx, up); err != nil {
		return nil, err
	}
	return m, nil
}

// drain asks the member to leave and waits until it has; a status other than 0
// is an error.
func (m *member) drain(ctx context.Context) error {
	err := m.signal(syscall.SIGTERM)
	select {
	case <-m.ended:
	case <-ctx.Done():
		m.kill()
		return fmt.Errorf("demo: %s did not leave in time; it said:\n%s", m.name, m.lastWords())
	}
	if err := errors.Join(err, m.err); err != nil {
		return fmt.Errorf("demo: %s left with %w; it said:\n%s", m.name, err, m.lastWords())
	}
	return nil
}
