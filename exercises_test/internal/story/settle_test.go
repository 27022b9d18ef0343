package story

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSettle_LetsEverythingHappenThatCan(t *testing.T) {
	Bubble(t, "Whoever waits for time is left waiting.", func(t *testing.T, s *Story) {
		var mu sync.Mutex
		steps, late := 0, false
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for range 100 {
					mu.Lock()
					steps++
					mu.Unlock()
				}
				<-time.After(time.Second)
				mu.Lock()
				late = true
				mu.Unlock()
			})
		}
		s.Settle(Failure{Happened: "nobody keeps the lock"})
		mu.Lock()
		if steps != 2000 || late {
			t.Errorf("after Settle %d steps were taken, late: %v; want 2000, false", steps, late)
		}
		mu.Unlock()
		all.Wait()
	})
}

func TestSettle_TellsWhoKeepsALock(t *testing.T) {
	const because = "a lock is held while its owner waits"
	if os.Getenv(childVariable) != "" {
		Bubble(t, "Nobody waits for a lock.", func(t *testing.T, s *Story) {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			var mu sync.RWMutex
			go func() {
				mu.Lock()
				defer mu.Unlock()
				<-over
			}()
			s.Settle(Failure{Happened: "too early"})
			go func() {
				mu.RLock()
				defer mu.RUnlock()
			}()
			s.Settle(Failure{Misconception: "keeps-a-lock", Happened: because})
		})
		return
	}
	got := child(t, t.Name())
	if !strings.Contains(got, because) || !strings.Contains(got, "misconception keeps-a-lock\n") || strings.Contains(got, "panic") {
		t.Errorf("a lock that is kept is told as\n%s", got)
	}
}

func TestLook_GoesByTheCallersBubble(t *testing.T) {
	const me = "goroutine 7 [running, synctest bubble 2]:\nmain()\n\n"
	for _, test := range []struct {
		name, others    string
		settled, locked bool
	}{
		{"nobody else", "goroutine 1 [chan receive]:", true, false},
		{"another bubble", "goroutine 8 [sync.Mutex.Lock, synctest bubble 1]:\nf()\n\ngoroutine 9 [running, synctest bubble 1]:", true, false},
		{"no bubble", "goroutine 1 [chan receive]:\nf()\n\ngoroutine 8 [syscall, 3 minutes]:", true, false},
		{"collects garbage", "goroutine 8 [runnable]:", false, false},
		{"waits for the collector", "goroutine 8 [GC assist wait]:", false, false},
		{"running", "goroutine 8 [runnable, synctest bubble 2]:", false, false},
		{"waits for what is outside", "goroutine 8 [chan receive, 2 minutes, synctest bubble 2]:", false, false},
		{"waits", "goroutine 8 [select (durable), 2 minutes, synctest bubble 2]:", true, false},
		{"locked", "goroutine 8 [sync.RWMutex.RLock, synctest bubble 2]:\nf()\n\ngoroutine 9 [select (durable), synctest bubble 2]:", true, true},
		{"will be unlocked", "goroutine 8 [sync.Mutex.Lock, synctest bubble 2]:\nf()\n\ngoroutine 9 [running, synctest bubble 2]:", false, true},
	} {
		if settled, locked := look(me + test.others); settled != test.settled || locked != test.locked {
			t.Errorf("%s: look = %v, %v; want %v, %v", test.name, settled, locked, test.settled, test.locked)
		}
	}
}
