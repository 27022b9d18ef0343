// Package linediff compares two texts line by line.
//
// It starts no goroutine and keeps nothing; its time and memory grow with the
// product of the numbers of lines, which is fine for files that people write.
package linediff

import (
	"slices"
	"strings"
)

// Kind says on which side a line is.
type Kind byte

// The kinds are what a unified diff writes in front of a line.
const (
	Both   Kind = ' '
	Before Kind = '-'
	After  Kind = '+'
)

// Line is one line of a comparison.
type Line struct {
	Kind Kind
	Text string
}

// Lines compares before with after: a longest common subsequence of their lines
// is on both sides. Lines that end in CRLF are the same as those that end in LF.
func Lines(before, after string) []Line {
	a, b := split(before), split(after)
	common := lengths(a, b)
	var lines []Line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, Line{Both, a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, Line{Before, a[i]})
			i++
		default:
			lines = append(lines, Line{After, b[j]})
			j++
		}
	}
	return lines
}

// lengths are those of the longest common subsequences of a[i:] and b[j:].
func lengths(a, b []string) [][]int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i, before := range slices.Backward(a) {
		for j, after := range slices.Backward(b) {
			if before == after {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}

func split(text string) []string {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Hunk is a part of a comparison that has differences, with lines around them.
type Hunk struct {
	Before, After int // the numbers of its first lines, from 1 on
	Lines         []Line
}

// Hunks leaves out what is the same on both sides, but for that many lines
// around each difference.
func Hunks(lines []Line, around int) []Hunk {
	var hunks []Hunk
	near := closeTo(lines, around)
	before, after, open := 1, 1, false
	for i, line := range lines {
		if near[i] {
			if !open {
				hunks = append(hunks, Hunk{Before: before, After: after})
			}
			last := &hunks[len(hunks)-1]
			last.Lines = append(last.Lines, line)
		}
		open = near[i]
		if line.Kind != After {
			before++
		}
		if line.Kind != Before {
			after++
		}
	}
	return hunks
}

// closeTo marks the lines that are at most that far from a difference.
func closeTo(lines []Line, around int) []bool {
	near := make([]bool, len(lines))
	for i, line := range lines {
		if line.Kind == Both {
			continue
		}
		for k := max(i-around, 0); k <= min(i+around, len(lines)-1); k++ {
			near[k] = true
		}
	}
	return near
}

// Pair is a row of two columns; the sides of one that is not in both are empty.
type Pair struct {
	Left, Right     string
	InLeft, InRight bool
	Changed         bool
	LeftAt, RightAt int // numbers of the lines, from 1 on
}

// Pairs puts a comparison into two columns: what was removed beside what was
// added in its place.
func Pairs(lines []Line) []Pair {
	var pairs []Pair
	left, right := 0, 0
	for i := 0; i < len(lines); {
		if lines[i].Kind == Both {
			left, right = left+1, right+1
			text := lines[i].Text
			pairs = append(pairs, Pair{Left: text, Right: text, InLeft: true, InRight: true, LeftAt: left, RightAt: right})
			i++
			continue
		}
		var removed, added []string
		for ; i < len(lines) && lines[i].Kind != Both; i++ {
			if lines[i].Kind == Before {
				removed = append(removed, lines[i].Text)
			} else {
				added = append(added, lines[i].Text)
			}
		}
		for k := range max(len(removed), len(added)) {
			p := Pair{Changed: true}
			if k < len(removed) {
				left++
				p.Left, p.InLeft, p.LeftAt = removed[k], true, left
			}
			if k < len(added) {
				right++
				p.Right, p.InRight, p.RightAt = added[k], true, right
			}
			pairs = append(pairs, p)
		}
	}
	return pairs
}
