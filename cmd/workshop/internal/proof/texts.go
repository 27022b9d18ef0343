package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// texts shows that each exercise has all its parts.
func (p *Prover) texts(context.Context) (Found, error) {
	var f Found
	for _, e := range p.Exercises {
		faults := append(listed(e), readme(e)...)
		if e.Written() {
			faults = append(faults, hints(e)...)
			faults = append(faults, solution(e)...)
			faults = append(faults, committed(e)...)
		}
		broken, err := seal.Broken(e)
		if err != nil {
			return f, err
		}
		for _, b := range broken {
			faults = append(faults, b+" since the tests were sealed; go tool workshop author stubs seals them")
		}
		faults = append(faults, blamed(e)...)
		for _, fault := range faults {
			f.fault("%s: %s", e.ID, fault)
		}
	}
	f.Summary = fmt.Sprintf("text, hints, solution, stub and wrong solutions: %s", plural(len(p.Exercises), "exercise"))
	return f, nil
}

// sections are the headings that every README of an exercise has.
var sections = []string{"## Why", "## What to write", "## What the tests check", "## What this does not guarantee"}

func readme(e *course.Exercise) []string {
	file := e.LearnerDir() + "/README.md"
	text, err := os.ReadFile(e.Path(file))
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	if title := fmt.Sprintf("# %s %s\n", e.ID, e.Title); !bytes.HasPrefix(text, []byte(title)) {
		faults = append(faults, fmt.Sprintf("%s does not begin with %q", file, strings.TrimSpace(title)))
	}
	for _, s := range sections {
		if e.Written() && !bytes.Contains(text, []byte("\n"+s+"\n")) {
			faults = append(faults, fmt.Sprintf("%s has no heading %q", file, s))
		}
	}
	if !bytes.Contains(text, []byte(fmt.Sprintf("%d minutes", e.Minutes))) {
		faults = append(faults, fmt.Sprintf("%s does not say that it takes %d minutes", file, e.Minutes))
	}
	return append(faults, anchors(e, string(text))...)
}

var read = regexp.MustCompile(`\bRead:\s*"([^"]*)"`)

// anchors finds headings that a failure sends its reader to and that are not
// there.
func anchors(e *course.Exercise, text string) []string {
	var faults []string
	known := map[string]bool{"": true}
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line {
			known[anchor(title)] = true
		}
	}
	for _, source := range sources(e) {
		for _, m := range read.FindAllStringSubmatch(source, -1) {
			if !known[m[1]] {
				faults = append(faults, fmt.Sprintf("a failure sends its reader to the heading #%s, which its README does not have", m[1]))
				known[m[1]] = true
			}
		}
	}
	return faults
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)

// anchor is what a link to a heading ends with.
func anchor(title string) string {
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")
}

func sources(e *course.Exercise) []string {
	names, err := e.GoFiles(e.TestDir())
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range names {
		if text, err := os.ReadFile(e.Path(e.TestDir(), name)); err == nil {
			all = append(all, string(text))
		}
	}
	return all
}

var blames = regexp.MustCompile(`\bMisconception:\s*"([^"]*)"`)

// blamed finds misconceptions that tests name and that no wrong solution has.
func blamed(e *course.Exercise) []string {
	folders, err := e.Misconceptions()
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, source := range sources(e) {
		for _, m := range blames.FindAllStringSubmatch(source, -1) {
			if m[1] != "" && !slices.Contains(folders, m[1]) {
				faults = append(faults, fmt.Sprintf("a test names the misconception %q, of which there is no wrong solution", m[1]))
				folders = append(folders, m[1])
			}
		}
	}
	return faults
}

func hints(e *course.Exercise) []string {
	file := e.LearnerDir() + "/HINTS.md"
	text, err := os.ReadFile(e.Path(file))
	if err != nil {
		return []string{err.Error()}
	}
	for level := 1; level <= 3; level++ {
		if !bytes.Contains(text, fmt.Appendf(nil, "\n## %d. ", level)) {
			return []string{fmt.Sprintf("%s has no heading that begins with ## %d.", file, level)}
		}
	}
	return nil
}

const (
	leastCode = 10
	mostCode  = 60
)

// solution counts what the learner writes.
func solution(e *course.Exercise) []string {
	stubs, err := variant.Stubs(e)
	if err != nil {
		return []string{err.Error()}
	}
	lines := 0
	faults := unformatted(e, e.SolutionDir())
	for name := range stubs {
		text, err := os.ReadFile(e.Path(e.SolutionDir(), name))
		if err != nil {
			return []string{err.Error()}
		}
		lines += written(string(text))
	}
	for _, w := range e.Wrong {
		faults = append(faults, unformatted(e, e.WrongDir(w.Misconception))...)
	}
	if lines < leastCode || lines > mostCode {
		faults = append(faults, fmt.Sprintf("its solution has %d lines of code to write, want %d to %d", lines, leastCode, mostCode))
	}
	return faults
}

// unformatted finds the Go files of a folder that gofmt would change; no linter
// looks into these.
func unformatted(e *course.Exercise, dir string) []string {
	names, err := e.GoFiles(dir)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, name := range names {
		text, err := os.ReadFile(e.Path(dir, name))
		if err != nil {
			return []string{err.Error()}
		}
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			faults = append(faults, dir+"/"+name+" is not formatted; gofmt -w does it")
		}
	}
	return faults
}

// written counts the lines of code between markers; neither comments nor
// imports.
func written(text string) int {
	count, inside := 0, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "//workshop:solution":
			inside = true
		case line == "//workshop:end":
			inside = false
		case inside && line != "" && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, `"`):
			count++
		}
	}
	return count
}

// committed compares the stub in the tree with what the solution makes.
func committed(e *course.Exercise) []string {
	stubs, err := variant.Stubs(e)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for name, want := range stubs {
		file := e.LearnerDir() + "/" + name
		got, err := os.ReadFile(e.Path(file))
		if errors.Is(err, os.ErrNotExist) || err == nil && !bytes.Equal(got, want) {
			faults = append(faults, file+" is not the stub of the solution; go tool workshop author stubs writes it")
		} else if err != nil {
			faults = append(faults, err.Error())
		}
	}
	return faults
}
