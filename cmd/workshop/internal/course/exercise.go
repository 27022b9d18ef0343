package course

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Exercise is one thing to write, and what proves that it is written. Its
// folders are relative to the course's root, with slashes.
type Exercise struct {
	ID        string // "4.6"
	Dir       string // "06_failover"
	Title     string
	Objective string // in one sentence
	Minutes   int
	Level     Level
	Needs     []string // ids of what should be understood before
	Draft     bool     // not shown to anybody yet
	Tests     []string // exactly those that run
	Wrong     []Wrong  // solutions that must fail

	chapter *Chapter
	root    string
}

// Level says who an exercise is for.
type Level string

// The levels. A lab has no code of its own to write.
const (
	Core    Level = "core"
	Stretch Level = "stretch"
	Lab     Level = "lab"
)

// Wrong is a solution that somebody with a wrong idea would write.
type Wrong struct {
	Misconception string // its folder, and what the failing test calls it
	Test          string // which fails because of it
}

// Chapter is the one that the exercise belongs to.
func (e *Exercise) Chapter() *Chapter { return e.chapter }

// Package is the name of the learner's package.
func (e *Exercise) Package() string {
	_, name, _ := strings.Cut(e.Dir, "_")
	return name
}

// LearnerDir is where the learner writes.
func (e *Exercise) LearnerDir() string { return path.Join("chapters", e.chapter.Dir, e.Dir) }

// SolutionDir is where the solution is.
func (e *Exercise) SolutionDir() string { return path.Join("solutions", e.chapter.Dir, e.Dir) }

// TestDir is where the tests are.
func (e *Exercise) TestDir() string { return path.Join("exercises_test", e.chapter.Dir, e.Dir) }

// WrongDir is where the solution with that misconception is.
func (e *Exercise) WrongDir(misconception string) string {
	return path.Join("exercises_test/testdata/wrong", e.chapter.Dir, e.Dir, misconception)
}

// Written reports whether there is code for the learner to write.
func (e *Exercise) Written() bool { return e.Level != Lab }

// Path is a slashed path below the root as the system writes it.
func (e *Exercise) Path(slashed ...string) string {
	return filepath.Join(e.root, filepath.FromSlash(path.Join(slashed...)))
}

// GoFiles returns the names of the Go files in a folder below the root, sorted;
// none if there is no such folder.
func (e *Exercise) GoFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(e.Path(dir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && path.Ext(entry.Name()) == ".go" {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// Misconceptions returns the folders of wrong solutions that there are.
func (e *Exercise) Misconceptions() ([]string, error) {
	entries, err := fs.ReadDir(os.DirFS(e.root), e.WrongDir(""))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (e *Exercise) validate(known map[string]bool) []error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("course: %s: exercise %q: %w", Manifest, e.ID, fmt.Errorf(format, args...)))
	}
	number := strings.TrimPrefix(e.ID, e.chapter.ID+".")
	switch {
	case number == e.ID:
		fault("it does not begin with its chapter's id, %q", e.chapter.ID)
	case fmt.Sprintf("%02s", number) != e.Dir[:min(2, len(e.Dir))] || !regexp.MustCompile(`^\d\d_[a-z]+$`).MatchString(e.Dir):
		fault("its folder is %q; name it %02s_package", e.Dir, number)
	case known[e.ID]:
		fault("it is there twice")
	}
	if !slices.Contains([]Level{Core, Stretch, Lab}, e.Level) {
		fault("its level is %q; use core, stretch or lab", e.Level)
	}
	if e.Title == "" || e.Objective == "" || e.Minutes <= 0 {
		fault("it lacks a title, an objective or its minutes")
	}
	for _, id := range e.Needs {
		if !known[id] {
			fault("it needs %q, which does not come before it", id)
		}
	}
	if !e.Draft && len(e.Tests) == 0 {
		fault("it names no tests; list them, or mark it as a draft")
	}
	for _, w := range e.Wrong {
		if !slices.Contains(e.Tests, w.Test) {
			fault("%q is to fail in %q, which is none of its tests", w.Misconception, w.Test)
		}
	}
	return faults
}
