package referee

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
)

// Referee is where Desks report to. Its methods may be called concurrently.
type Referee struct {
	*Ledger
	*Storage

	listener net.Listener
	journal  io.Writer
	running  sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]struct{} // guarded by mu; nil when closed
	heard   map[string]uint64     // reports, by process
	news    chan struct{}         // closed when heard changes
	history []Operation
	faults  []error // lines that make no sense
}

// Start listens on a free port of this machine. workers is NewLedger's; every
// report is written to journal, too, as a line.
func Start(ctx context.Context, workers int, journal io.Writer) (*Referee, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("referee: %w", err)
	}
	r := &Referee{
		Ledger: NewLedger(workers), Storage: NewStorage(), listener: listener, journal: journal,
		conns: make(map[net.Conn]struct{}), heard: make(map[string]uint64), news: make(chan struct{}),
	}
	r.running.Go(r.accept)
	return r, nil
}

// Address is where desks are.
func (r *Referee) Address() string { return r.listener.Addr().String() }

func (r *Referee) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // it was closed
		}
		r.running.Go(func() {
			if r.admit(conn) {
				r.serve(conn)
			}
			_ = conn.Close()
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.conns, conn)
		})
	}
}

// admit has Close close conn, unless that is over.
func (r *Referee) admit(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		return false
	}
	r.conns[conn] = struct{}{}
	return true
}

// serve reads what a desk says, to the last line of one that was killed.
func (r *Referee) serve(conn net.Conn) {
	lines := bufio.NewReader(conn)
	process := ""
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return // half a line was not reported
		}
		var n note
		if err := json.Unmarshal(line, &n); err != nil {
			r.mu.Lock()
			r.faults = append(r.faults, fmt.Errorf("referee: %s says %q: %w", process, line, err))
			r.mu.Unlock()
			continue
		}
		switch {
		case n.Process != "":
			process = n.Process
		case n.Load != "":
			err = write(conn, answer{Value: r.Load(n.Load)})
		case n.Save != nil:
			a := answer{}
			a.Stale, _ = r.Save(n.Save.By, n.Save.Value).(*StaleError) //nolint:errorlint // it returns no other
			err = write(conn, a)
		default:
			r.hear(process, n, line)
		}
		if err != nil {
			return
		}
	}
}

// hear takes note of a report.
func (r *Referee) hear(process string, n note, line []byte) {
	switch {
	case n.Enter != nil:
		r.Enter(*n.Enter)
	case n.Exit != nil:
		r.Exit(*n.Exit)
	case n.Operation != nil && n.Operation.Outcome == Answered:
		r.Accept(n.Operation.Reply)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n.Operation != nil {
		r.history = append(r.history, *n.Operation)
	}
	_, err := r.journal.Write(line)
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("referee: journal: %w", err))
	}
	r.heard[process]++
	close(r.news)
	r.news = make(chan struct{})
}

// Settle waits until that many reports of a process have been heard.
func (r *Referee) Settle(ctx context.Context, process string, noted uint64) error {
	for {
		r.mu.Lock()
		heard, news := r.heard[process], r.news
		r.mu.Unlock()
		if heard >= noted {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("referee: heard %d of %d reports of %s: %w", heard, noted, process, context.Cause(ctx))
		}
	}
}

// History returns the operations since the call before, in the order in which
// they were reported.
func (r *Referee) History() []Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.history
	r.history = nil
	return h
}

// Close stops listening and closes all connections. It returns what was wrong
// with reports.
func (r *Referee) Close() error {
	_ = r.listener.Close()
	r.mu.Lock()
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.running.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) > 0 {
		return fmt.Errorf("%d faults, the first: %w", len(r.faults), r.faults[0])
	}
	return nil
}
