// Package stub makes the stub that a learner starts from out of the solution,
// which is its only source, so that the two cannot drift apart.
//
// A solution is Go that compiles as it is. In it,
//
//	//workshop:solution
//	…                          is the learner's to write, and left out;
//	//workshop:end
//	//workshop:stub return 0   stands in its place, without the marker.
//
// It starts no goroutine and touches no file. Its errors name a line.
package stub

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
)

const (
	prefix = "//workshop:"
	begin  = "//workshop:solution"
	end    = "//workshop:end"
	keep   = "//workshop:stub"
)

// Of returns the stub of a solution, formatted. The name is for errors.
func Of(name string, solution []byte) ([]byte, error) {
	var out bytes.Buffer
	open, marked := 0, false // the line of an open marker, or 0
	for i, line := range strings.Split(strings.ReplaceAll(string(solution), "\r\n", "\n"), "\n") {
		number, trimmed := i+1, strings.TrimSpace(line)
		marker, rest, _ := strings.Cut(trimmed, " ")
		switch {
		case marker == begin && open > 0:
			return nil, fmt.Errorf("%s:%d: %s inside that of line %d; close it with %s first", name, number, begin, open, end)
		case marker == begin:
			open, marked = number, true
		case marker == end && open == 0:
			return nil, fmt.Errorf("%s:%d: %s without %s before it", name, number, end, begin)
		case marker == end:
			open = 0
		case open > 0 && strings.HasPrefix(trimmed, prefix):
			return nil, fmt.Errorf("%s:%d: %s inside what is left out from line %d on; move it behind %s", name, number, marker, open, end)
		case open > 0:
		case marker == keep:
			out.WriteString(rest + "\n")
		case strings.Contains(line, prefix):
			return nil, fmt.Errorf("%s:%d: %q is no marker of its own line; use %s, %s or %s", name, number, trimmed, begin, end, keep)
		default:
			out.WriteString(line + "\n")
		}
	}
	switch {
	case open > 0:
		return nil, fmt.Errorf("%s:%d: %s is never closed with %s", name, open, begin, end)
	case !marked:
		return nil, fmt.Errorf("%s: nothing is left to the learner; mark it with %s and %s", name, begin, end)
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: the stub is not Go: %w", name, err)
	}
	return append(bytes.TrimSpace(text), '\n'), nil
}

// Plain returns a solution without its markers, as a learner would have written
// it.
func Plain(solution []byte) ([]byte, error) {
	var out bytes.Buffer
	for line := range strings.Lines(strings.ReplaceAll(string(solution), "\r\n", "\n")) {
		if !strings.HasPrefix(strings.TrimSpace(line), prefix) {
			out.WriteString(line)
		}
	}
	return format.Source(out.Bytes())
}
