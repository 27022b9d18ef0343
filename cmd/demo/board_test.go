package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// loaded is a load that knows answers of users, one of which is user123.
func loaded(hosts map[string]int) *load {
	l := &load{answers: make(map[cluster.Identity]answer), failed: map[string]int{"not executed": 2, "outcome unknown": 1}, answered: 7}
	n := 0
	for member, users := range hosts {
		for range users {
			id := cluster.Identity{Kind: "user", Identity: strings.Repeat("x", n+1)}
			if n == 0 {
				id = user123
			}
			n++
			l.answers[id] = answer{Visited: &userpb.Visited{Member: member}}
		}
	}
	return l
}

func TestBoard_PictureShowsWhoHostsHowMany(t *testing.T) {
	b := &board{load: loaded(map[string]int{"m1": 50})}
	b.add(&member{process: process{name: "m1"}, address: "127.0.0.1:40001"})
	b.add(&member{process: process{name: "m2"}, address: "127.0.0.1:40002"})
	b.mark("m2", "killed")
	picture := b.picture()
	for _, want := range []string{
		"m1  127.0.0.1:40001  50 users " + strings.Repeat("█", barWidth) + " ← user/123",
		"m2  127.0.0.1:40002   0 users " + strings.Repeat(" ", barWidth) + " killed",
		"7 visits answered, 3 failed (2 not executed, 1 outcome unknown)",
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture lacks %q:\n%s", want, picture)
		}
	}
	for line := range strings.Lines(picture) {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("a line has %d columns, more than a terminal: %q", n, line)
		}
	}
}

func TestBoard_WithoutATerminalItTellsPlainLines(t *testing.T) {
	var out bytes.Buffer
	b := &board{out: &out, start: time.Now(), load: loaded(map[string]int{"m1": 1})}
	b.tell("m1 is up")
	b.snapshot()
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("plain output has escape sequences: %q", out.String())
	}
	if !strings.Contains(out.String(), "m1 is up\n") || !strings.Contains(out.String(), "visits answered") {
		t.Errorf("plain output lacks the story or the snapshot: %q", out.String())
	}
}

func TestBoard_ATerminalsPictureIsDrawnOverItself(t *testing.T) {
	var out bytes.Buffer
	b := &board{out: &out, live: true, start: time.Now(), load: loaded(map[string]int{"m1": 1})}
	b.tell("first")
	lines := strings.Count(b.picture(), "\n")
	out.Reset()
	b.tell("second")
	if want := "\x1b[" + string(rune('0'+lines)) + "A\x1b[J"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("the second drawing begins with %q, want %q: up by the %d lines of the first", out.String()[:8], want, lines)
	}
}

func TestMoved_IsByActivation(t *testing.T) {
	at := func(member, activation string) state {
		return state{answers: map[cluster.Identity]answer{user123: {Visited: &userpb.Visited{Member: member, Activation: activation}}}}
	}
	if got := moved(at("m1", "a"), at("m1", "a")); len(got) != 0 {
		t.Errorf("moved = %v for the same activation, want none", got)
	}
	if got := moved(at("m1", "a"), at("m2", "b"))[user123]; got != [2]string{"m1", "m2"} {
		t.Errorf("moved = %v, want m1 to m2", got)
	}
	if got := moved(at("m1", "a"), at("m1", "b")); len(got) != 1 {
		t.Errorf("moved = %v for another activation on the same member, want it told", got)
	}
}
