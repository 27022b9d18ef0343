package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// member is a cluster member that runs as a process of its own.
type member struct {
	name     string
	address  string // of its remote
	endpoint string // of its membership provider: a seed for others
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the process is gone and waited for
	err      error         // its status, once ended

	mu   sync.Mutex
	last []string // the lines it logged last
}

// startMember runs the program and returns once it says that it is up.
func startMember(ctx context.Context, program, name string, seeds []string) (*member, error) {
	m := &member{name: name, ended: make(chan struct{})}
	m.cmd = exec.Command(program, //nolint:noctx // it is drained by SIGTERM, not killed with ctx
		"-name", name, "-cluster", "demo", "-log-level", "debug", "-bind", "127.0.0.1:0", "-seeds", strings.Join(seeds, ","))
	m.cmd.Env = []string{}
	out, in := io.Pipe()
	m.cmd.Stdout, m.cmd.Stderr = in, in
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("demo: start %s: %w; build it with make demo", program, err)
	}
	up := make(chan struct{})
	go m.read(out, up)
	go func() {
		m.err = m.cmd.Wait()
		_ = in.Close()
		close(m.ended)
	}()
	select {
	case <-up:
		return m, nil
	case <-m.ended:
		return nil, fmt.Errorf("demo: %s ended before it was up: %w; it said:\n%s", name, m.err, m.lastWords())
	case <-ctx.Done():
		m.kill()
		return nil, fmt.Errorf("demo: %s is not up in time; it said:\n%s", name, m.lastWords())
	}
}

// read follows the member's log until its end; up is closed once it is up.
func (m *member) read(log io.Reader, up chan struct{}) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var entry struct{ Msg, Address, Endpoint string }
		if json.Unmarshal(lines.Bytes(), &entry) != nil {
			entry.Msg = "" // not a line of the log
		}
		m.mu.Lock()
		if m.last = append(m.last, lines.Text()); len(m.last) > 20 {
			m.last = m.last[1:]
		}
		m.mu.Unlock()
		switch {
		case entry.Endpoint != "":
			m.endpoint = entry.Endpoint
		case entry.Msg == "up" && m.address == "":
			m.address = entry.Address
			close(up)
		}
	}
	_, _ = io.Copy(io.Discard, log) // a line too long must not block the member
}

func (m *member) lastWords() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.last, "\n")
}

// kill ends the process at once, as kill -9 does, and waits for it.
func (m *member) kill() {
	_ = m.cmd.Process.Kill() // it may have ended
	<-m.ended
}

// drain asks the member to leave and waits until it has; a status other than 0
// is an error.
func (m *member) drain(ctx context.Context) error {
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-m.ended:
	case <-ctx.Done():
		m.kill()
		return fmt.Errorf("demo: %s did not leave in time; it said:\n%s", m.name, m.lastWords())
	}
	if m.err != nil {
		return fmt.Errorf("demo: %s left with %w; it said:\n%s", m.name, m.err, m.lastWords())
	}
	return nil
}
