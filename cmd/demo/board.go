package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// board shows how the demo goes: on a terminal a picture that is drawn again
// and again under the story so far, elsewhere the story alone, a line at a
// time.
type board struct {
	out   io.Writer
	live  bool
	start time.Time

	mu      sync.Mutex
	members []*row
	load    *load
	drawn   int // lines of the picture on the screen
}

// row is what the picture shows of a member.
type row struct {
	name, address string
	note          string
}

// barWidth is that of 50 users: a row fits into 80 columns.
const barWidth = 28

func newBoard(out *os.File, plain bool) *board {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &board{out: out, live: terminal && !plain, start: time.Now()}
}

// run draws the picture until done is closed.
func (b *board) run(done <-chan struct{}) {
	if !b.live {
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.mu.Lock()
			b.redraw()
			b.mu.Unlock()
		case <-done:
			return
		}
	}
}

// add shows another member.
func (b *board) add(m *member) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.members = append(b.members, &row{name: m.name, address: m.address})
}

// mark puts a note behind a member's row.
func (b *board) mark(name, note string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.members {
		if r.name == name {
			r.note = note
		}
	}
}

// watch has the picture show what l knows.
func (b *board) watch(l *load) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.load = l
}

// tell adds a line to the story.
func (b *board) tell(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintf(b.out, "%5.1fs  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, args...))
	b.redraw()
}

// snapshot adds the picture, as it is now, to a story told in plain lines.
func (b *board) snapshot() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.live {
		fmt.Fprint(b.out, b.picture())
	}
}

// clear takes the picture off the screen; b.mu is held.
func (b *board) clear() {
	if b.drawn > 0 {
		fmt.Fprintf(b.out, "\x1b[%dA\x1b[J", b.drawn)
		b.drawn = 0
	}
}

func (b *board) redraw() {
	if !b.live || b.load == nil {
		return
	}
	b.clear()
	picture := b.picture()
	fmt.Fprint(b.out, picture)
	b.drawn = strings.Count(picture, "\n")
}

func (b *board) picture() string {
	var s strings.Builder
	if b.load == nil {
		return ""
	}
	now, _ := b.load.state()
	host123 := ""
	if a, ok := now.answers[user123]; ok {
		host123 = a.Member
	}
	fmt.Fprintln(&s)
	for _, r := range b.members {
		users := now.hosts[r.name]
		bar := strings.Repeat("█", min(users*barWidth/50, barWidth))
		note := r.note
		if note == "" && r.name == host123 {
			note = "← " + user123.String()
		}
		line := fmt.Sprintf("    %-3s %-15s %3d users %-*s %s", r.name, r.address, users, barWidth, bar, note)
		fmt.Fprintln(&s, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(&s, "    %d visits answered%s\n\n", now.answered, failures(now))
	return s.String()
}

// failures lists what failed, by what is known of the outcome.
func failures(s state) string {
	if s.failures == 0 {
		return ", none failed"
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(s.failed)) {
		parts = append(parts, fmt.Sprintf("%d %s", s.failed[what], what))
	}
	return fmt.Sprintf(", %d failed (%s)", s.failures, strings.Join(parts, ", "))
}
