// Package slides checks the decks beside it: the excerpts of code are found and
// short, every slide has notes that begin with its minutes, and the agendas of
// INSTRUCTOR.md add up.
//
// It starts no goroutine. A [Fault] is for whoever writes slides; an error says
// that a file could not be read at all, or where present could not. Read deck.go,
// then agenda.go. The package's test is its only user.
package slides

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/present"
)

const (
	maxLines   = 18 // of code in an excerpt
	maxColumns = 97 // of a line, with tabs of four: more is cut off
)

// Fault is what is wrong in a line of a file.
type Fault struct {
	File string
	Line int
	Text string
}

func (f Fault) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Deck is a presentation.
type Deck struct {
	File   string
	Slides []Slide
	faults []Fault
}

// Slide is one slide of a Deck.
type Slide struct {
	Title   string
	Line    int // of its title
	Minutes int // 0 if the notes do not say
}

// Exercise returns the number of the exercise that the slide is for, as in 4.1,
// or "".
func (s Slide) Exercise() string {
	rest, ok := strings.CutPrefix(s.Title, "Exercise ")
	id, _, named := strings.Cut(rest, ": ")
	if !ok || !named {
		return ""
	}
	return id
}

// Read reads a deck and the code that it shows. Where present gives up, as on a
// marker that is lost, the error has file and line.
func Read(file string) (*Deck, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("slides: %w", err)
	}
	doc, err := present.Parse(bytes.NewReader(source), file, 0)
	if err != nil {
		return nil, fmt.Errorf("slides: %w", err)
	}
	d := &Deck{File: file}
	titles := d.typed(string(source))
	if len(titles) != len(doc.Sections) {
		return nil, fmt.Errorf("slides: %s has %d titles, and present sees %d slides", file, len(titles), len(doc.Sections))
	}
	for i, section := range doc.Sections {
		d.add(section, titles[i])
	}
	return d, nil
}

func (d *Deck) fault(line int, format string, args ...any) {
	d.faults = append(d.faults, Fault{d.File, line, fmt.Sprintf(format, args...)})
}

// typed looks at what was typed in, and returns the lines of the titles. Code
// must not be: it would be nobody's, and rot.
func (d *Deck) typed(source string) (titles []int) {
	inside := false
	for i, line := range strings.Split(source, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence:
			if inside = !inside; inside && fence != "text" {
				d.fault(i+1, "a block of %q was typed in: show code with .code, and drawings as text", fence)
			}
		case inside && utf8.RuneCountInString(line) > maxColumns:
			d.fault(i+1, "a line of a drawing has %d columns; %d fit", utf8.RuneCountInString(line), maxColumns)
		case inside:
		case strings.HasPrefix(line, "## "):
			titles = append(titles, i+1)
		case strings.HasPrefix(line, "\t"), strings.HasPrefix(line, "    "):
			d.fault(i+1, "an indented block was typed in: show code with .code, and drawings as text")
		}
	}
	return titles
}

// add adds a slide that present has read.
func (d *Deck) add(section present.Section, line int) {
	s := Slide{Title: section.Title, Line: line}
	minutes := regexp.MustCompile(`^([1-9]\d*) min\. \S`)
	if len(section.Notes) == 0 {
		d.fault(line, "%q has no notes for the speaker", s.Title)
	} else if match := minutes.FindStringSubmatch(section.Notes[0]); match == nil {
		d.fault(line, `the notes of %q do not begin with minutes, as in ": 3 min. Ask…"`, s.Title)
	} else {
		s.Minutes, _ = strconv.Atoi(match[1])
	}
	for _, e := range section.Elem {
		if code, ok := e.(present.Code); ok {
			d.code(s, code)
		}
	}
	d.Slides = append(d.Slides, s)
}

// code checks one excerpt.
func (d *Deck) code(s Slide, code present.Code) {
	lines := strings.Split(strings.TrimSuffix(string(code.Raw), "\n"), "\n")
	if len(lines) > maxLines {
		d.fault(s.Line, "%d lines of %s are too many to read; %d at most", len(lines), code.FileName, maxLines)
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > maxColumns {
			d.fault(s.Line, "a line of %s has %d columns; %d fit: %s", code.FileName, n, maxColumns, strings.TrimSpace(line))
		}
		if strings.Contains(line, "//workshop:") {
			d.fault(s.Line, "an excerpt of %s shows %s", code.FileName, strings.TrimSpace(line))
		}
	}
	if strings.HasPrefix(code.Cmd, ".play") {
		d.fault(s.Line, ".play runs what no test has run; use .code")
	}
	name := filepath.ToSlash(strings.Fields(code.Cmd)[1])
	if !strings.HasPrefix(name, "../solutions/") && !strings.HasPrefix(name, "../pkg/") {
		d.fault(s.Line, "code comes from ../solutions or ../pkg, not from %s", name)
	}
}
