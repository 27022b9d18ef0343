package dispatch

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// manner is how goroutines let others run. The zero value is ready; its methods may be
// called concurrently.
type manner struct {
	now      atomic.Int32 // apart, together or crowded
	watching atomic.Bool  // every linger is measured; changes with mu held

	mu    sync.Mutex
	since time.Time     // when it began to watch
	lost  time.Duration // since then, to those that computed
	until time.Time     // from when on it watches whether a crowd is over
}

const (
	// Jobs come from other processors: a worker lingered in vain. It had better wait for
	// as long as runtime.Gosched takes, so that more of them gather: tells to 1,000
	// actors are 1.8 times as many.
	apart int32 = iota
	// Jobs come from goroutines that ask since. Who asks and who replies stay on their
	// processor.
	together
	// Those who compute had the processors most of the time. Those that stay would each time
	// be as many as 61 of them on their way when the runtime lets one of those run again;
	// among all that wait for any processor they are thousands, or millions.
	crowded
)

const (
	// So many times those who ask let others run before they are parked.
	patience = 4
	// What takes so long was not done by those that only ask and reply.
	long = time.Millisecond
	// Every so many times it is measured how long it takes to let others run; every time
	// for so long after it took long once. It is crowded if more than half of that was lost:
	// a machine that others share, and the collector, take a while now and then.
	sampled = 32
	watched = 50 * time.Millisecond
	// So long it is crowded before that is looked at again.
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
	if n%sampled != 0 && !m.watching.Load() {
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
	m.mu.Lock()
	defer m.mu.Unlock()
	crowd := m.now.Load() == crowded
	if !m.watching.Load() {
		if crowd && now.After(m.until) || !crowd && took > long {
			m.since, m.lost = now, 0
			m.watching.Store(true)
		}
		return
	}
	if took > long {
		m.lost += took
	}
	passed := now.Sub(m.since)
	if passed < watched {
		return
	}
	m.watching.Store(false)
	if m.lost > passed/2 {
		m.until = now.Add(crowdedFor)
		m.now.Store(crowded)
	} else if crowd {
		m.now.Store(apart)
	}
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
