package dispatch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestManner_FollowsWhatHappens(t *testing.T) {
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

// lingers is a time for which a goroutine lingers again and again, and how long each
// takes.
type lingers struct{ total, each time.Duration }

// Where more than half of the time goes to those that compute it is crowded, until that is
// over; what is long now and then is the collector, or the machine.
func TestManner_IsCrowdedWhileMostOfTheTimeIsLost(t *testing.T) {
	const quick, busy = long / 10, 10 * long
	once := lingers{busy, busy} // is noticed, and what comes next is looked at
	rows := []struct {
		name   string
		before int32
		spent  []lingers
		after  int32
	}{
		{"it never took long", together, []lingers{{time.Minute, long}}, together},
		{"it took long once", together, []lingers{once, {watched, quick}}, together},
		{"it took long for a while", together, []lingers{once, {2 * busy, busy}, {watched, quick}}, together},
		{"it did twice", together, slices.Repeat([]lingers{once, {2 * busy, busy}, {watched, quick}}, 2), together},
		{"it took long for half of the time", together, []lingers{once, {watched / 2, watched / 2}, {watched / 2, quick}}, together},
		{"it took long for most of the time", together, []lingers{once, {watched/2 + busy, busy}, {watched, quick}}, crowded},
		{"so it did on another processor", apart, []lingers{once, {watched, busy}}, crowded},
		{"it is looked at for long enough", together, []lingers{once, {watched - busy, busy}}, together},
		{"nobody lingered meanwhile", together, []lingers{once, {3 * watched, 3 * watched / 2}, {watched, quick}}, crowded},
		{"a crowd lasts", crowded, []lingers{{crowdedFor, quick}}, crowded},
		{"a crowd goes on", crowded, []lingers{{crowdedFor, busy}, {crowdedFor, busy}, {2 * watched, quick}}, crowded},
		{"a crowd is over", crowded, []lingers{{crowdedFor, busy}, {2 * watched, quick}}, apart},
		{"a crowd is over but for the collector", crowded, []lingers{{crowdedFor, busy}, {2 * busy, busy}, {watched, quick}}, apart},
	}
	for _, row := range rows {
		now := time.Now()
		m := manner{until: now.Add(crowdedFor - 1)}
		m.now.Store(row.before)
		for _, s := range row.spent {
			for end := now.Add(s.total); now.Before(end); {
				now = now.Add(s.each)
				m.judge(now, s.each)
			}
		}
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

func TestManner_WatchesOnlyWhatTookLong(t *testing.T) {
	for took, want := range map[time.Duration]bool{long: false, long + 1: true} {
		var m manner
		if m.judge(time.Now(), took); m.watching.Load() != want {
			t.Errorf("it watches after %v: %v, want %v", took, !want, want)
		}
	}
}

// One of so many times is measured, and every one while that is watched.
func TestManner_LingerIsMeasuredNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it takes no time
		for n := range uint64(3 * sampled) {
			for _, watching := range []bool{false, true} {
				m := manner{since: time.Now().Add(-watched), until: time.Now().Add(-1)}
				m.now.Store(crowded)
				m.watching.Store(watching)
				m.linger(n)
				if got, want := m.watching.Load() != watching, watching || n%sampled == 0; got != want {
					t.Errorf("linger %d, watching %v, was measured: %v, want %v", n, watching, got, want)
				}
			}
		}
	})
}
