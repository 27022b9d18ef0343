package faultnet

import (
	"sync"
	"time"
)

// deadline is an instant that can be moved while somebody waits for it. The zero
// value is never.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{} // closed at the instant
}

// set moves the deadline; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() || d.isOver() {
		d.over = nil // that one is over, or will be any moment
	}
	d.timer = nil
	if t.IsZero() {
		return
	}
	over := d.channel()
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(over) })
		return
	}
	close(over)
}

// expired is closed at the deadline, as far as it is set before that.
func (d *deadline) expired() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.channel()
}

func (d *deadline) channel() chan struct{} {
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

func (d *deadline) isOver() bool {
	select {
	case <-d.over:
		return d.over != nil
	default:
		return false
	}
}
