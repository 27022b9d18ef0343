package referee

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Desk is where a process reports to the referee. What a method has returned
// nil for counts, whatever becomes of the process. Its methods may be called
// concurrently; they block as long as the referee is busy.
type Desk struct {
	address string
	process string
	journal net.Conn
	noted   atomic.Uint64
	idle    chan *counter // connections to the storage that nobody uses
}

// counter is a connection over which the storage answers.
type counter struct {
	net.Conn
	answers *json.Decoder
}

// mostIdle is how many connections to the storage are kept.
const mostIdle = 64

// Approach opens the desk of a process at the referee's address. No two
// processes have the same name.
func Approach(ctx context.Context, address, process string) (*Desk, error) {
	d := &Desk{address: address, process: process, idle: make(chan *counter, mostIdle)}
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	d.journal = conn
	return d, nil
}

// dial opens a connection and says who is there.
func (d *Desk) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", d.address)
	if err == nil {
		err = write(conn, note{Process: d.process})
	}
	if err != nil {
		return nil, fmt.Errorf("referee: %w", err)
	}
	return conn, nil
}

// write writes v as a line at once: from then on it is the machine's to deliver.
func write(to io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = to.Write(append(line, '\n'))
	}
	return err
}

// Enter reports an Entry. If it fails, the message must not be handled.
func (d *Desk) Enter(e Entry) error { return d.note(note{Enter: &e}) }

// Exit reports the end of a handler.
func (d *Desk) Exit(e Exit) error { return d.note(note{Exit: &e}) }

// Operated reports a request that has ended.
func (d *Desk) Operated(o Operation) error { return d.note(note{Operation: &o}) }

func (d *Desk) note(n note) error {
	if err := write(d.journal, n); err != nil {
		return fmt.Errorf("referee: report: %w", err)
	}
	d.noted.Add(1)
	return nil
}

// Noted is how many reports were made, for Referee.Settle.
func (d *Desk) Noted() uint64 { return d.noted.Load() }

// Load reads the register of an identity.
func (d *Desk) Load(ctx context.Context, identity string) (int64, error) {
	a, err := d.ask(ctx, note{Load: identity})
	return a.Value, err
}

// Save writes the register of an identity. It fails with a *StaleError if it
// did nothing; after another error it may have happened.
func (d *Desk) Save(ctx context.Context, by Activation, value int64) error {
	a, err := d.ask(ctx, note{Save: &save{by, value}})
	if err == nil && a.Stale != nil {
		return a.Stale
	}
	return err
}

func (d *Desk) ask(ctx context.Context, n note) (a answer, err error) {
	if err := ctx.Err(); err != nil { // the answer may be faster than what follows from that
		return a, fmt.Errorf("referee: storage: %w", err)
	}
	c, err := d.counter(ctx)
	if err != nil {
		return a, err
	}
	release := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(0, 0)) })
	if err = write(c, n); err == nil {
		err = c.answers.Decode(&a)
	}
	if !release() || err != nil {
		_ = c.Close()
		if err != nil {
			return a, fmt.Errorf("referee: storage: %w", err)
		}
		return a, nil
	}
	select {
	case d.idle <- c:
	default:
		_ = c.Close()
	}
	return a, nil
}

func (d *Desk) counter(ctx context.Context) (*counter, error) {
	select {
	case c := <-d.idle:
		return c, nil
	default:
	}
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &counter{conn, json.NewDecoder(bufio.NewReader(conn))}, nil
}

// Close ends the connections.
func (d *Desk) Close() error {
	for {
		select {
		case c := <-d.idle:
			_ = c.Close()
			continue
		default:
		}
		return d.journal.Close()
	}
}
