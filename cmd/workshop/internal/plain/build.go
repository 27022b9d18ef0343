package plain

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

var (
	position  = regexp.MustCompile(`^(?:vet: )?(.+?\.go):(\d+)(?::\d+)?: (.*)$`)
	noPackage = regexp.MustCompile(`(?:no required module provides|cannot find module providing|^)\s*package (\S+?)(?:;| is not in std|$)`)
	undefined = regexp.MustCompile(`undefined: (\w+\.\w+)|(\S+ undefined)|undefined \(type (\S+) has no field or method (\w+)`)
)

// message is one of the compiler's.
type message struct {
	file string // slashed
	line string
	text string
}

// build explains what the compiler said.
func build(r *suite.Result) *Verdict {
	e := r.Exercise
	var mine, tests []message
	for _, line := range r.Build {
		m, ok := parse(line)
		switch {
		case !ok:
		case strings.Contains(m.file, e.TestDir()+"/"):
			tests = append(tests, m)
		default:
			mine = append(mine, m)
		}
	}
	text := strings.Join(r.Build, "\n")
	if v := supplied(r, mine); v != nil {
		return v
	}
	if names, err := e.GoFiles(e.LearnerDir()); err == nil && len(names) == 0 && len(mine) == 0 {
		return &Verdict{Kind: Deleted, Sentence: fmt.Sprintf(
			"%s has no Go file any more: go tool workshop reset %s brings the stub back.", e.LearnerDir(), e.ID)}
	}
	if v := stray(e); v != nil {
		return v
	}
	if m := noPackage.FindStringSubmatch(text); m != nil && !strings.HasSuffix(m[1], e.LearnerDir()) {
		return &Verdict{Kind: Compile, Where: wheres(mine), Sentence: fmt.Sprintf(
			"Your code imports %s, which is not there; an exercise needs the standard library and the packages of pkg/protocluster.", m[1])}
	}
	switch {
	case len(mine) > 0:
		return &Verdict{Kind: Compile, Where: wheres(mine), Sentence: compiles(mine)}
	case len(tests) > 0:
		return signature(e, tests[0])
	}
	return &Verdict{Kind: Compile, Where: r.Build, Sentence: "Your code does not compile; the other exercises are not affected."}
}

// supplied finds fault with what is not the learner's to write: tests that are
// not there, or a package that all exercises share.
func supplied(r *suite.Result, mine []message) *Verdict {
	e := r.Exercise
	if names, err := e.GoFiles(e.TestDir()); err == nil && len(names) == 0 {
		return &Verdict{Kind: Untested, Sentence: fmt.Sprintf(
			"%[1]s has no tests any more: git checkout %[1]s brings them back.", e.TestDir())}
	}
	for _, m := range mine {
		for _, dir := range []string{"pkg/", "chapters/todo/", "exercises_test/internal/"} {
			if strings.HasPrefix(m.file, dir) {
				return &Verdict{Kind: Untested, Where: wheres([]message{m}), Sentence: fmt.Sprintf(
					"%[1]s does not compile, and the exercise is built on it: git checkout %[1]s brings back what it was.", m.file)}
			}
		}
	}
	return nil
}

// compiles says how many faults there are, and in which file the first is.
func compiles(mine []message) string {
	first := mine[0]
	rest := ""
	if n := len(mine) - 1; n > 0 {
		rest = fmt.Sprintf(", and %d more of the compiler's messages follow from here on", n)
	}
	return fmt.Sprintf("%s does not compile: look at line %s%s.", path.Base(first.file), first.line, rest)
}

// signature explains what the tests miss in the learner's code.
func signature(e *course.Exercise, m message) *Verdict {
	if found := undefined.FindStringSubmatch(m.text); found != nil {
		what := strings.TrimSuffix(strings.Join(found[1:3], ""), " undefined")
		return &Verdict{Kind: Signature, Where: []string{m.text}, Sentence: fmt.Sprintf(
			"The tests call %s, which your code does not have any more: keep the names that the stub has. "+
				"go tool workshop diff -stub %s shows them.", what, e.ID)}
	}
	return &Verdict{Kind: Signature, Where: []string{m.text}, Sentence: fmt.Sprintf(
		"The tests do not fit your code any more: keep parameters and results as the stub has them. "+
			"go tool workshop diff -stub %s shows them.", e.ID)}
}

// stray finds a file of another package in the learner's folder.
func stray(e *course.Exercise) *Verdict {
	names, err := e.GoFiles(e.LearnerDir())
	if err != nil {
		return nil
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), e.Path(e.LearnerDir(), name), nil, parser.PackageClauseOnly)
		if err == nil && file.Name.Name != e.Package() {
			return &Verdict{Kind: Stray, Sentence: fmt.Sprintf(
				"%s/%s says package %s, and all files of that folder are package %s: change its first line, or remove it.",
				e.LearnerDir(), name, file.Name.Name, e.Package())}
		}
	}
	return nil
}

func parse(line string) (message, bool) {
	m := position.FindStringSubmatch(line)
	if m == nil {
		return message{}, false
	}
	return message{file: strings.ReplaceAll(m[1], `\`, "/"), line: m[2], text: m[3]}, true
}

func wheres(messages []message) []string {
	var where []string
	for _, m := range messages {
		where = append(where, fmt.Sprintf("%s:%s: %s", path.Base(m.file), m.line, m.text))
	}
	return where
}
