package dispatch

import (
	"runtime"
	"sync/atomic"
	"time"
)

// manner is how goroutines let others run. The zero value is ready; its methods may be
// called concurrently.
type manner struct {
	now   atomic.Int32              // apart, together or crowded
	until atomic.Pointer[time.Time] // when the last crowd is over; nil: there was none
}

const (
	// Jobs come from other processors: a worker lingered in vain. It had better wait for
	// as long as runtime.Gosched takes, so that more of them gather: tells to 1,000
	// actors are 1.8 times as many.
	apart int32 = iota
	// Jobs come from goroutines that ask since. Who asks and who replies stay on their
	// processor.
	together
	// Somebody who computes had the processor meanwhile. Those that stay would each time
	// be as many as 61 of them on their way when the runtime lets that one run again;
	// among all that wait for any processor they are thousands, or millions.
	crowded
)

const (
	// So many times those who ask let others run before they are parked.
	patience = 4
	// What takes so long was not done by those that only ask and reply.
	long = time.Millisecond
	// Every so many times it is measured how long it takes to let others run.
	sampled = 32
	// So long it is crowded after the last time that it took long.
	crowdedFor = 2 * time.Second
)

// ask lets those run that reply, until it is done.
func (m *manner) ask(done func() bool) {
	for range patience {
		if done() {
			return
		}
		switch m.now.Load() {
		case crowded:
			runtime.Gosched()
			return // it is better to be woken
		case apart:
			m.now.CompareAndSwap(apart, together)
		}
		goyield()
	}
}

// linger lets those run that bring jobs, for the nth time.
func (m *manner) linger(n uint64) {
	if n%sampled != 0 {
		m.giveWay()
		return
	}
	before := time.Now()
	m.giveWay()
	now := time.Now()
	m.judge(now, now.Sub(before))
}

// judge notes how long it took to let others run, now.
func (m *manner) judge(now time.Time, took time.Duration) {
	switch {
	case took > long:
		until := now.Add(crowdedFor)
		m.until.Store(&until)
		m.now.Store(crowded)
	case m.over(now):
		m.now.CompareAndSwap(crowded, apart)
	}
}

// over reports whether now is after the last crowd.
func (m *manner) over(now time.Time) bool {
	until := m.until.Load()
	return until == nil || now.After(*until)
}

func (m *manner) giveWay() {
	if m.now.Load() == together {
		goyield()
	} else {
		runtime.Gosched()
	}
}

// inVain is called when linger was.
func (m *manner) inVain() { m.now.CompareAndSwap(together, apart) }
