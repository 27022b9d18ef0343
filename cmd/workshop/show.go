package main

import (
	"bufio"
	"fmt"
	"strings"
	"unicode"

	"github.com/protocluster/workshop/cmd/workshop/internal/belief"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// Colours, which only a terminal gets.
const (
	plainly = "0"
	bold    = "1"
	faint   = "2"
	red     = "31"
	green   = "32"
)

func (a *app) paint(colour, text string) string {
	if !a.color || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// note says what is being done, on a screen, until erase.
func (a *app) note(text string) {
	if a.screen {
		fmt.Fprint(a.out, "\r\x1b[2K"+a.paint(faint, text))
	}
}

// erase takes away what note has said.
func (a *app) erase() {
	if a.screen {
		fmt.Fprint(a.out, "\r\x1b[2K")
	}
}

// title is how an exercise is called everywhere.
func title(e *course.Exercise) string { return e.ID + " " + e.Title }

// words makes a sentence of the name of a test: TestRegister_TheFirstStays is
// "Register: the first stays".
func words(test string) string {
	subject, claim, found := strings.Cut(strings.TrimPrefix(test, "Test"), "_")
	if !found {
		return apart(subject)
	}
	return subject + ": " + apart(claim)
}

// apart puts a blank before each capital that begins a word, and makes it small
// unless the word is all capitals.
func apart(s string) string {
	runes := []rune(s)
	capital := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsUpper(runes[i]) }
	small := func(i int) bool { return i < len(runes) && !unicode.IsUpper(runes[i]) }
	var b strings.Builder
	for i, r := range runes {
		begins := capital(i) && (!capital(i-1) || small(i+1) && i+1 < len(runes))
		if begins && i > 0 {
			b.WriteByte(' ')
		}
		single := !capital(i-1) && capital(i+1) && small(i+2) // "A" in ALateEvent
		if begins && (!capital(i+1) || single) {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// result prints how the tests of an exercise ended: which pass, and the story of
// the first that does not.
func (a *app) result(r *suite.Result) error {
	e := r.Exercise
	if v := plain.Of(r); v != nil {
		fmt.Fprintf(a.out, "%s %s\n\n", a.paint(bold, title(e)+":"), a.paint(red, "the tests could not tell their stories"))
		a.verdict(v)
		return nil
	}
	if r.Solved() {
		fmt.Fprintf(a.out, "%s %s\n", a.paint(bold, title(e)+":"), a.paint(green, fmt.Sprintf("all %d tests pass", len(r.Tests))))
		return nil
	}
	fmt.Fprintf(a.out, "%s %d of %d tests pass\n\n", a.paint(bold, title(e)+":"), r.Count(), len(e.Tests))
	for _, name := range e.Tests {
		a.line(r.Test(name), name)
	}
	first := r.First()
	if first == nil {
		return nil
	}
	fmt.Fprintf(a.out, "\n%s\n", a.paint(bold, words(first.Name)))
	for _, line := range first.Output {
		fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	}
	b, err := belief.Behind(r)
	if err != nil || b == nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s\n%s\n", fill("You probably believe "+b.Text, ""), fill("One question: "+b.Question, ""))
	return nil
}

func (a *app) line(t *suite.Test, name string) {
	mark, colour := "-", faint // it did not run
	if t != nil {
		switch t.Ended {
		case suite.Passed:
			mark, colour = "ok", green
		case suite.Skipped:
			mark = "later"
		case suite.Failed:
			mark, colour = "red", red
		}
	}
	fmt.Fprintf(a.out, "  %s %s\n", a.paint(colour, fmt.Sprintf("%-5s", mark)), words(name))
}

func (a *app) verdict(v *plain.Verdict) {
	fmt.Fprintln(a.out, fill(v.Sentence, "  "))
	for _, where := range v.Where {
		fmt.Fprintf(a.out, "    %s\n", a.paint(faint, where))
	}
	if v.Kind != plain.Untested {
		fmt.Fprintln(a.out, "\nThe other exercises are not affected.")
	}
}

// bar shows how much of the whole is done.
func bar(done, whole int) string {
	const width = 20
	n := 0
	if whole > 0 {
		n = done * width / whole
	}
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", width-n) + "]"
}

// section returns the text of a Markdown file below the first heading that
// begins so, up to the next of the same level.
func section(text, heading string) string {
	level := heading[:strings.Index(heading, " ")+1]
	var b strings.Builder
	inside := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, heading):
			inside = true
		case strings.HasPrefix(line, level):
			if inside {
				return strings.TrimSpace(b.String())
			}
		case inside:
			b.WriteString(line + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}
