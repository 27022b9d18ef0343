package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/linediff"
	"github.com/protocluster/workshop/cmd/workshop/internal/stub"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

const around = 3 // lines shown about each difference

// diff compares the learner's code with the solution, or with the stub. It asks
// before it shows a solution to somebody who has not found one.
func diff(_ context.Context, a *app, args []string) error {
	var side, withStub, yes bool
	names, err := flags("diff", args, func(f *flag.FlagSet) {
		f.BoolVar(&side, "side", false, "side by side")
		f.BoolVar(&withStub, "stub", false, "compare with the stub instead of the solution")
		f.BoolVar(&yes, "yes", false, "show the solution without asking")
	})
	if err != nil {
		return err
	}
	e, err := a.one("diff", names)
	if err != nil {
		return err
	}
	if !e.Written() {
		fmt.Fprintf(a.out, "%s has nothing to write, so there is nothing to compare.\n", title(e))
		return nil
	}
	if !withStub && !yes {
		if show, err := a.maySee(e); err != nil || !show {
			return err
		}
	}
	others, err := references(e, withStub)
	if err != nil {
		return err
	}
	same := true
	for _, name := range slices.Sorted(maps.Keys(others)) {
		mine, err := os.ReadFile(e.Path(e.LearnerDir(), name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		lines := linediff.Lines(string(mine), string(others[name]))
		hunks := linediff.Hunks(lines, around)
		if len(hunks) == 0 {
			continue
		}
		same = false
		other := map[bool]string{true: "the stub", false: "the solution"}[withStub]
		if side {
			a.sideBySide(name, other, hunks)
		} else {
			a.unified(e.LearnerDir()+"/"+name, other, hunks)
		}
	}
	if same {
		fmt.Fprintln(a.out, "There is no difference.")
	}
	return nil
}

// references are the files to compare with, by name.
func references(e *course.Exercise, withStub bool) (map[string][]byte, error) {
	if withStub {
		return variant.Stubs(e)
	}
	names, err := e.GoFiles(e.SolutionDir())
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.SolutionDir(), name))
		if err != nil {
			return nil, err
		}
		if files[name], err = stub.Plain(text); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// maySee asks whoever has not solved e yet.
func (a *app) maySee(e *course.Exercise) (bool, error) {
	p, err := a.progress()
	if err != nil {
		return false, err
	}
	if s, err := a.state(e, p); err != nil || s == passed {
		return err == nil, err
	}
	return a.ask(fmt.Sprintf("You have not solved %s yet; a solution that you find yourself stays longer. Show it anyway?", title(e)))
}

// ask asks a question whose answer is no unless it begins with y.
func (a *app) ask(question string) (bool, error) {
	fmt.Fprintf(a.out, "%s [y/N] ", question)
	answer, err := a.in.ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(a.out, "no")
		return false, nil
	}
	yes := strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y")
	if !yes {
		fmt.Fprintln(a.out, "Nothing was done.")
	}
	return yes, nil
}

func (a *app) unified(mine, other string, hunks []linediff.Hunk) {
	colours := map[linediff.Kind]string{linediff.Before: red, linediff.After: green, linediff.Both: plainly}
	fmt.Fprintf(a.out, "--- %s, which is yours\n+++ %s\n", mine, other)
	for _, h := range hunks {
		fmt.Fprintln(a.out, a.paint(faint, fmt.Sprintf("@@ line %d, and %d there @@", h.Before, h.After)))
		for _, l := range h.Lines {
			fmt.Fprintln(a.out, a.paint(colours[l.Kind], string(l.Kind)+l.Text))
		}
	}
}

// sideBySide writes two columns, as wide as the terminal says it is.
func (a *app) sideBySide(name, other string, hunks []linediff.Hunk) {
	const least, usual = 60, 160
	width := usual
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns >= least {
		width = columns
	}
	half := (width - 3) / 2
	fmt.Fprintf(a.out, "%s | %s\n", fit(name+", yours", half), other)
	for _, h := range hunks {
		fmt.Fprintln(a.out, a.paint(faint, fit(fmt.Sprint("line ", h.Before), half)+" | "+fmt.Sprint("line ", h.After)))
		for _, p := range linediff.Pairs(h.Lines) {
			mark, left, right := "|", fit(p.Left, half), fit(p.Right, half)
			if p.Changed {
				mark, left, right = "*", a.paint(red, left), a.paint(green, right)
			}
			fmt.Fprintln(a.out, strings.TrimRight(left+" "+mark+" "+right, " "))
		}
	}
}

// fit makes a text exactly so wide; a tab counts for four.
func fit(text string, width int) string {
	text = strings.ReplaceAll(text, "\t", "    ")
	n := utf8.RuneCountInString(text)
	if n > width {
		return string([]rune(text)[:width-1]) + "…"
	}
	return text + strings.Repeat(" ", width-n)
}
