package testkit

import "time"

// This file has Proto.Actor's names for probes. They need no testing.TB and
// return errors instead. A timeout of 0 means the probe's Patience. They are
// supported for good.

// TestProbe is Probe.
type TestProbe = Probe

// NewTestProbe returns a probe for the test to spawn, with
// actor.PropsFromProducer or the probe's Props. What it sends before it runs is
// sent when it does.
func NewTestProbe() *Probe { return newProbe() }

// GetNextMessage waits for the next message.
func (p *Probe) GetNextMessage(timeout time.Duration) (any, error) {
	return next[any](p, nil, timeout)
}

// GetNextMessageOf waits for the next message, which has to be a T.
func GetNextMessageOf[T any](p *Probe, timeout time.Duration) (T, error) {
	return next[T](p, nil, timeout)
}

// GetNextMessageWhere waits for the next message, which has to be a T for which
// when is true.
func GetNextMessageWhere[T any](p *Probe, when func(T) bool, timeout time.Duration) (T, error) {
	return next(p, when, timeout)
}

// FishForMessage drops messages until one is a T for which when is true.
func FishForMessage[T any](p *Probe, when func(T) bool, timeout time.Duration) (T, error) {
	return fish(p, when, timeout)
}

// FishForMessageOf drops messages until one is a T.
func FishForMessageOf[T any](p *Probe, timeout time.Duration) (T, error) {
	return fish[T](p, nil, timeout)
}

// ExpectNoMessage fails if a message is left or one comes within d; that message
// stays the next one.
func (p *Probe) ExpectNoMessage(d time.Duration) error { return p.none(d) }
