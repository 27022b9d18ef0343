// Package belief knows the wrong ideas that lead to wrong solutions, and finds
// the one behind a failure.
//
// Beside each wrong solution lie misconception.md, which says what its author
// believes and asks one question, and fails.txt, the tests that fail because of
// it. It starts no goroutine; its functions may be called concurrently.
package belief

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// Files beside a wrong solution.
const (
	TextFile  = "misconception.md"
	FailsFile = "fails.txt"
)

// Belief is a wrong idea.
type Belief struct {
	Misconception string
	Text          string // "that …", what somebody with it believes
	Question      string // which makes one doubt it
	Fails         []string
}

var (
	believes = regexp.MustCompile(`(?s)\*\*You probably believe\*\*\s+(.+?)\n\n`)
	asks     = regexp.MustCompile(`(?s)\*\*One question:\*\*\s+(.+?)\n*$`)
)

// Load reads the beliefs of an exercise.
func Load(e *course.Exercise) ([]Belief, error) {
	names, err := e.Misconceptions()
	if err != nil {
		return nil, err
	}
	var all []Belief
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.WrongDir(name), TextFile))
		if err != nil {
			return nil, err
		}
		text = append(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), '\n', '\n')
		belief, question := believes.FindSubmatch(text), asks.FindSubmatch(text)
		if belief == nil || question == nil {
			return nil, fmt.Errorf("%s/%s needs a paragraph that begins with **You probably believe** and one with **One question:**",
				e.WrongDir(name), TextFile)
		}
		b := Belief{Misconception: name, Text: words(belief[1]), Question: words(question[1])}
		if fails, err := os.ReadFile(e.Path(e.WrongDir(name), FailsFile)); err == nil {
			b.Fails = strings.Fields(string(fails))
		}
		all = append(all, b)
	}
	return all, nil
}

// Behind returns the belief behind what failed in r, or nil: that whose wrong
// solution fails in the same tests, or else the one that the first failing test
// named.
func Behind(r *suite.Result) (*Belief, error) {
	all, err := Load(r.Exercise)
	if err != nil {
		return nil, err
	}
	fails, names := Fails(r), named(r)
	for i, b := range all {
		if slices.Contains(names, b.Misconception) && slices.Equal(b.Fails, fails) {
			return &all[i], nil
		}
	}
	first := r.First()
	for i, b := range all {
		if first != nil && b.Misconception == first.Misconception {
			return &all[i], nil
		}
	}
	return nil, nil
}

// named are the misconceptions that the failing tests of r name.
func named(r *suite.Result) []string {
	var names []string
	for _, t := range r.Tests {
		if t.Misconception != "" {
			names = append(names, t.Misconception)
		}
	}
	return names
}

// Fails lists the tests that failed, sorted.
func Fails(r *suite.Result) []string {
	var names []string
	for _, t := range r.Tests {
		if t.Ended != suite.Passed && t.Ended != suite.Skipped {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}

// WriteFails records in which tests a wrong solution fails.
func WriteFails(r *suite.Result, misconception string) error {
	text := strings.Join(Fails(r), "\n") + "\n"
	return durable.Write(r.Exercise.Path(r.Exercise.WrongDir(misconception), FailsFile), []byte(text))
}

func words(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
