package linediff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/linediff"
)

func text(lines []linediff.Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%c%s;", l.Kind, l.Text)
	}
	return b.String()
}

func TestLines(t *testing.T) {
	rows := []struct{ name, before, after, want string }{
		{"the same", "a\nb\n", "a\nb\n", " a; b;"},
		{"line ends", "a\r\nb\r\n", "a\nb", " a; b;"},
		{"nothing before", "", "a\n", "+a;"},
		{"nothing after", "a\nb\n", "", "-a;-b;"},
		{"a change", "a\nb\nc\n", "a\nx\nc\n", " a;-b;+x; c;"},
		{"an insertion", "a\nc\n", "a\nb\nc\n", " a;+b; c;"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := text(linediff.Lines(row.before, row.after)); got != row.want {
				t.Errorf("Lines = %s, want %s", got, row.want)
			}
		})
	}
}

// Both texts can be made of the comparison.
func TestLines_LoseNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func() string {
		var b strings.Builder
		for range r.IntN(20) {
			fmt.Fprintln(&b, r.IntN(5))
		}
		return b.String()
	}
	for range 200 {
		before, after := random(), random()
		var one, other strings.Builder
		for _, l := range linediff.Lines(before, after) {
			if l.Kind != linediff.After {
				fmt.Fprintln(&one, l.Text)
			}
			if l.Kind != linediff.Before {
				fmt.Fprintln(&other, l.Text)
			}
		}
		if one.String() != before || other.String() != after {
			t.Fatalf("Lines(%q, %q) lost something", before, after)
		}
	}
}

func TestHunks(t *testing.T) {
	before := "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	after := "1\nx\n3\n4\n5\n6\n7\n8\ny\n9\n"
	hunks := linediff.Hunks(linediff.Lines(before, after), 1)
	if len(hunks) != 2 || text(hunks[0].Lines) != " 1;-2;+x; 3;" || text(hunks[1].Lines) != " 8;+y; 9;" {
		t.Fatalf("hunks = %v", hunks)
	}
	if hunks[0].Before != 1 || hunks[0].After != 1 || hunks[1].Before != 8 || hunks[1].After != 8 {
		t.Errorf("they begin at %d, %d and %d, %d", hunks[0].Before, hunks[0].After, hunks[1].Before, hunks[1].After)
	}
	if got := linediff.Hunks(linediff.Lines(before, before), 3); got != nil {
		t.Errorf("hunks of equal texts = %v, want none", got)
	}
}

func TestPairs(t *testing.T) {
	pairs := linediff.Pairs(linediff.Lines("a\nb\nc\nd\n", "a\nx\nd\ne\n"))
	var got []string
	for _, p := range pairs {
		got = append(got, fmt.Sprintf("%d%s|%d%s", p.LeftAt, p.Left, p.RightAt, p.Right))
	}
	if text := strings.Join(got, " "); text != "1a|1a 2b|2x 3c|0 4d|3d 0|4e" {
		t.Errorf("pairs = %s", text)
	}
}
