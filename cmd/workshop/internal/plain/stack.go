package plain

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
)

// stack is the learner's part of what a dying test binary prints.
type stack []frame

type frame struct {
	state string // of its goroutine: "running", "sync.Mutex.Lock", "chan receive"
	place string // "kinds.go:52 in (*Registry).Register"
}

var (
	goroutine = regexp.MustCompile(`^goroutine \d+ .*?\[([^\]]*)\]:`)
	file      = regexp.MustCompile(`([^/\\\s]+\.go:\d+)`)
)

// frames finds the learner's frames: the line after each that names a function
// of the exercise's package. A file may lie elsewhere, if a solution stands for
// the learner's.
func frames(e *course.Exercise, lines []string) stack {
	var s stack
	state := ""
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if m := goroutine.FindStringSubmatch(text); m != nil {
			state, _, _ = strings.Cut(m[1], ",")
			continue
		}
		_, function, mine := strings.Cut(text, "/"+e.LearnerDir()+".")
		if !mine || i+1 >= len(lines) {
			continue
		}
		where := file.FindString(lines[i+1])
		if where == "" {
			continue
		}
		name, _, created := strings.Cut(function, " in goroutine")
		if arguments := strings.LastIndex(name, "("); !created && arguments > 0 {
			name = name[:arguments]
		}
		s = append(s, frame{state: state, place: path.Base(where) + " in " + name})
	}
	return s
}

// where lists the places, each once.
func (s stack) where() []string {
	var places []string
	for _, f := range s {
		if !slices.Contains(places, f.place) {
			places = append(places, f.place)
		}
	}
	return places
}

// deep reports whether a function calls itself over and over.
func (s stack) deep() bool {
	const many = 30
	return len(s) > many && len(s.where()) < len(s)/many+most
}
