package dispatch

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestManner_FollowsWhatHappens(t *testing.T) {
	now := time.Now()
	asked := func(m *manner) { m.ask(func() bool { return m.now.Load() != apart }) }
	rows := []struct {
		name   string
		before int32
		event  func(m *manner)
		after  int32
	}{
		{"who asks is on this processor", apart, asked, together},
		{"no job came", together, (*manner).inVain, apart},
		{"no job came in a crowd", crowded, (*manner).inVain, crowded},
		{"it took long", together, func(m *manner) { m.judge(now, long+1) }, crowded},
		{"it took long, of whoever is on another", apart, func(m *manner) { m.judge(now, long+1) }, crowded},
		{"it did not", together, func(m *manner) { m.judge(now, long) }, together},
		{"it did a second ago", crowded, func(m *manner) {
			m.judge(now.Add(-time.Second), long+1)
			m.judge(now, 0)
		}, crowded},
		{"it did before that again", crowded, func(m *manner) {
			m.judge(now.Add(-2*crowdedFor), long+1)
			m.judge(now.Add(-crowdedFor), long+1)
			m.judge(now.Add(-1), 0)
		}, crowded},
		{"it did long ago", crowded, func(m *manner) {
			m.judge(now.Add(-crowdedFor-1), long+1)
			m.judge(now, 0)
		}, apart},
		{"who asks meanwhile", crowded, func(m *manner) { m.ask(func() bool { return false }) }, crowded},
	}
	for _, row := range rows {
		var m manner
		m.now.Store(row.before)
		row.event(&m)
		if got := m.now.Load(); got != row.after {
			t.Errorf("%s: from %d to %d, want to %d", row.name, row.before, got, row.after)
		}
	}
}

// Who asks looks before each try, gives up after some, and in a crowd after one.
func TestManner_AskHasPatience(t *testing.T) {
	for _, row := range []struct {
		manner      int32
		done, looks int
	}{{together, 0, 1}, {together, 2, 3}, {together, 100, patience}, {apart, 100, patience}, {crowded, 100, 1}, {crowded, 0, 1}} {
		var m manner
		m.now.Store(row.manner)
		looks := 0
		m.ask(func() bool {
			looks++
			return looks > row.done
		})
		if looks != row.looks {
			t.Errorf("manner %d, done after %d: it looked %d times, want %d", row.manner, row.done, looks, row.looks)
		}
	}
}

// One of so many times is measured, and ends a crowd that has lasted.
func TestManner_LingerIsMeasuredNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it takes no time
		for n := range uint64(3 * sampled) {
			var m manner
			m.now.Store(crowded)
			m.linger(n)
			if got, want := m.now.Load() == apart, n%sampled == 0; got != want {
				t.Errorf("linger %d was measured: %v, want %v", n, got, want)
			}
		}
	})
}
