// Package drain is exercise 4.8: leaving a cluster politely.
package drain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Member is what is drained. Its methods may be called concurrently, and
// return early with an error when their ctx ends. An error says what it is about.
type Member interface {
	// Cordon has the view show the member as leaving, and returns when the
	// others have seen that. From then on they send what is new elsewhere.
	Cordon(ctx context.Context) error
	// Activations returns what is active on the member now.
	Activations() []cluster.Identity
	// Stop has one activation finish what is queued, and returns when it has
	// ended.
	Stop(ctx context.Context, id cluster.Identity) error
	// Withdraw takes the member out of the view.
	Withdraw(ctx context.Context) error
}

// Drainer takes one member out of the cluster. Its methods may be called
// concurrently.
type Drainer struct {
	member Member

	mu   sync.Mutex    // guards what follows
	done chan struct{} // closed when the drain is over; nil before it begins
	err  error         // of the drain; set before done is closed
}

// New returns a Drainer that lets everything in.
func New(member Member) *Drainer { return &Drainer{member: member} }

// Admit returns nil if an activation of id may be started on the member. Once
// Drain has begun it returns an error that is actor.ErrNotDelivered: it can be
// tried elsewhere.
func (d *Drainer) Admit(id cluster.Identity) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done != nil {
		return fmt.Errorf("drain: %s is not started on a member that is leaving: %w", id, actor.ErrNotDelivered)
	}
	return nil
}

// Drain takes the member out: it cordons it, stops all that is active at the
// same time, also what has started meanwhile, and withdraws it. Every step is
// taken, whatever became of those before it; the errors are joined. If ctx has a
// deadline, no step uses up the time of those after it. A second call waits for
// the first and returns what that returned, or the error of its own ctx if that
// ends before.
func (d *Drainer) Drain(ctx context.Context) error {
	d.mu.Lock()
	if d.done == nil {
		d.done = make(chan struct{})
		d.mu.Unlock()
		d.err = d.drain(ctx)
		close(d.done)
		return d.err
	}
	d.mu.Unlock()
	select {
	case <-d.done:
		return d.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Drainer) drain(ctx context.Context) error {
	ahead, cancel := part(ctx, 0.25)
	defer cancel()
	errs := []error{d.member.Cordon(ahead), d.member.Withdraw(ctx)}

	ahead, cancel = part(ctx, 0.75)
	defer cancel()
	known := make(map[cluster.Identity]bool)
	for ids := d.unknown(known); len(ids) > 0; ids = d.unknown(known) { // what was let in before may start only now
		errs = append(errs, d.stop(ahead, ids))
	}
	return errors.Join(errs...)
}

// unknown returns what is active and not known yet; it is from now on.
func (d *Drainer) unknown(known map[cluster.Identity]bool) (ids []cluster.Identity) {
	for _, id := range d.member.Activations() {
		if !known[id] {
			known[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// stop stops them all at the same time.
func (d *Drainer) stop(ctx context.Context, ids []cluster.Identity) error {
	errs := make([]error, len(ids))
	var stops sync.WaitGroup
	for i, id := range ids {
		stops.Go(func() { errs[i] = d.member.Stop(ctx, id) })
	}
	stops.Wait()
	return errors.Join(errs...)
}

// part returns a context for a share of the time that ctx has left.
func part(ctx context.Context, share float64) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithTimeout(ctx, time.Duration(share*float64(time.Until(deadline))))
	}
	return context.WithCancel(ctx)
}
