package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/explore/search"
)

// watch shows a line that changes until stop is called, which returns after the
// last word: in place on a terminal, every few seconds elsewhere.
func watch(w *os.File, line func(now time.Time) string) (stop func()) {
	every, begin, end := 5*time.Second, "", "\n"
	if terminal(w) {
		every, begin, end = 200*time.Millisecond, "\r\x1b[K", ""
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				_, _ = io.WriteString(w, begin)
				return
			case now := <-ticker.C:
				_, _ = io.WriteString(w, begin+line(now)+end)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// pace makes the line of a search.
func pace(what string, p *search.Progress) func(time.Time) string {
	start := time.Now()
	last, before := start, int64(0)
	return func(now time.Time) string {
		states := p.States.Load()
		rate := float64(states-before) / max(now.Sub(last).Seconds(), 1e-9)
		last, before = now, states
		return fmt.Sprintf("%s: %s states, %s in the frontier, %s/s, depth %d, %v", what, count(states),
			count(p.Frontier.Load()), count(int64(rate)), p.Depth.Load(), now.Sub(start).Round(time.Second))
	}
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// count is n as people read it.
func count(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}
