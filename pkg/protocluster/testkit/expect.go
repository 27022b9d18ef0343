package testkit

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	defaultPatience = time.Second
	longestStory    = 20
	longestMessage  = 200

	noTest = "testkit: Expect, FishFor and ExpectNothing need a probe made by NewProbe; " +
		"for others there are GetNextMessageOf, FishForMessage and ExpectNoMessage"
)

// Expect takes the next message, which has to be a T, or ends the test. It needs
// a probe made by NewProbe.
func Expect[T any](p *Probe) T {
	t := p.test()
	t.Helper()
	message, err := next[T](p, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// FishFor takes messages, and drops them, until one is a T for which when is
// true, or ends the test. A nil when wants any T. The Patience is for all
// messages together. It needs a probe made by NewProbe.
func FishFor[T any](p *Probe, when func(T) bool) T {
	t := p.test()
	t.Helper()
	message, err := fish(p, when, 0)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// ExpectNothing ends the test if a message is left or one comes within d; 0
// means the Patience. It needs a probe made by NewProbe.
func (p *Probe) ExpectNothing(d time.Duration) {
	t := p.test()
	t.Helper()
	if err := p.none(d); err != nil {
		t.Fatal(err)
	}
}

// test is what the functions that may end the test need.
func (p *Probe) test() testing.TB {
	if p.t == nil {
		panic(noTest) //nolint:forbidigo // there is neither a test to fail nor an error to return
	}
	return p.t
}

// next takes the next message, which has to be a T for which when is true.
func next[T any](p *Probe, when func(T) bool, timeout time.Duration) (T, error) {
	timeout = p.patience(timeout)
	message, came := p.take(time.Now().Add(timeout))
	typed, ok := message.(T)
	switch {
	case !came:
		return typed, p.missing(nameOf[T](), timeout)
	case !ok:
		return typed, p.unwanted(message, nameOf[T]())
	case when != nil && !when(typed):
		return typed, p.unwanted(message, "another one")
	}
	return typed, nil
}

// fish drops messages until one is a T for which when is true.
func fish[T any](p *Probe, when func(T) bool, timeout time.Duration) (T, error) {
	timeout = p.patience(timeout)
	for end := time.Now().Add(timeout); ; {
		message, came := p.take(end)
		typed, ok := message.(T)
		switch {
		case !came:
			return typed, p.missing(nameOf[T](), timeout)
		case ok && (when == nil || when(typed)):
			return typed, nil
		}
	}
}

// none fails if a message is left or one comes within d; that message stays
// the next one.
func (p *Probe) none(d time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	d = p.patience(d)
	if p.wait(time.Now().Add(d), func() bool { return len(p.queue) > 0 }) {
		return fmt.Errorf("testkit: probe %v got a message within %v, want none%s", p.self, d, p.tale())
	}
	return nil
}

// take takes the next message unless none comes until end.
func (p *Probe) take(end time.Time) (message any, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wait(end, func() bool { return len(p.queue) > 0 }) {
		return nil, false
	}
	p.last = p.queue[0]
	p.queue = p.queue[1:]
	return p.last.Message, true
}

// wait is called with mu held.
func (p *Probe) wait(end time.Time, until func() bool) bool {
	defer time.AfterFunc(time.Until(end), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.changed.Broadcast()
	}).Stop()
	for !until() && time.Until(end) > 0 {
		p.changed.Wait()
	}
	return until()
}

// missing is the error of a message that did not come.
func (p *Probe) missing(what string, timeout time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("testkit: probe %v got no %s within %v: %w%s", p.self, what, timeout, context.DeadlineExceeded, p.tale())
}

// unwanted is the error of a message that came instead of another.
func (p *Probe) unwanted(message any, want string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("testkit: probe %v got %s, want %s%s", p.self, inWords(message), want, p.tale())
}

func (p *Probe) patience(timeout time.Duration) time.Duration {
	return cmp.Or(timeout, p.Patience, defaultPatience)
}

// tale tells what came to the probe so far. It is called with mu held.
func (p *Probe) tale() string {
	switch {
	case len(p.story) == 0 && p.self == nil:
		return "; it never got anything, and is not spawned: system.Spawn(probe.Props()) does that"
	case len(p.story) == 0:
		return "; it never got anything"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "; of the %d messages that it got so far", p.earlier+len(p.story))
	if p.earlier > 0 {
		fmt.Fprintf(&b, ", the last %d", len(p.story))
	}
	for i, a := range p.story {
		left := ""
		if i >= len(p.story)-len(p.queue) {
			left = " (not taken yet)"
		}
		fmt.Fprintf(&b, "\n\tafter %v: %s from %v%s", a.after, inWords(a.envelope.Message), a.envelope.Sender, left)
	}
	return b.String()
}

func inWords(message any) string {
	text := fmt.Sprintf("%T %+v", message, message)
	if len(text) > longestMessage {
		text = strings.ToValidUTF8(text[:longestMessage], "") + "…"
	}
	return text
}

// nameOf is what an error calls a T.
func nameOf[T any]() string {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[any]() {
		return t.String()
	}
	return "message"
}
