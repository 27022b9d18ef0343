package slides

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// agendas checks the tables of the file that have the columns at, minutes and
// what: each row begins when the one before ends, all last as long as the
// heading says, and slides and exercises as long as they do themselves.
func agendas(file string, d *Deck, exercises map[string]int) ([]Fault, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("slides: %w", err)
	}
	a := &agenda{file: file, deck: d, exercises: exercises}
	for i, line := range strings.Split(string(text), "\n") {
		a.line = i + 1
		if strings.HasPrefix(line, "#") {
			a.end()
			a.heading, a.at = line, i+1
		}
		if cells := strings.Split(line, " | "); len(cells) == 3 {
			a.row(strings.TrimPrefix(cells[0], "| "), cells[1], strings.TrimSuffix(cells[2], " |"))
		}
	}
	a.end()
	if a.tables == 0 {
		a.fault(1, "there is no agenda")
	}
	return a.faults, nil
}

// agenda is the table that is being read.
type agenda struct {
	file      string
	deck      *Deck
	exercises map[string]int // minutes by number

	heading string
	at      int // its line
	line    int
	begun   bool
	minutes int // so far

	tables int
	faults []Fault
}

func (a *agenda) fault(line int, format string, args ...any) {
	a.faults = append(a.faults, Fault{a.file, line, fmt.Sprintf(format, args...)})
}

// end checks the sum of the table that has ended, if there was one.
func (a *agenda) end() {
	if a.begun {
		a.tables++
		match := regexp.MustCompile(`(\d+) minutes`).FindStringSubmatch(a.heading)
		if match == nil || match[1] != strconv.Itoa(a.minutes) {
			a.fault(a.at, "the rows last %d minutes, and the heading says %q", a.minutes, a.heading)
		}
	}
	a.begun, a.minutes = false, 0
}

// row checks a row, if it is one of an agenda.
func (a *agenda) row(at, minutes, what string) {
	if at == "at" && minutes == "minutes" {
		a.begun = true
		return
	}
	n, err := strconv.Atoi(minutes)
	if !a.begun || err != nil {
		return
	}
	if want := fmt.Sprintf("%d:%02d", a.minutes/60, a.minutes%60); at != want {
		a.fault(a.line, "this begins at %s, not at %s", want, at)
	}
	a.minutes += n
	if needs, known := a.needs(what); known && needs != n {
		a.fault(a.line, "%s: that takes %d minutes, not %d", what, needs, n)
	}
}

// needs is how long something takes, if that is known.
func (a *agenda) needs(what string) (minutes int, known bool) {
	if id, ok := strings.CutPrefix(what, "exercise "); ok {
		minutes, known = a.exercises[id]
		if !known {
			a.fault(a.line, "there is no exercise %s", id)
		}
		return minutes, known
	}
	names, ok := strings.CutPrefix(what, "slides *")
	if !ok {
		return 0, false
	}
	first, last, several := strings.Cut(strings.TrimSuffix(names, "*"), "* to *")
	if !several {
		last = first
	}
	from, to := a.slide(first), a.slide(last)
	if from < 0 || to < from {
		a.fault(a.line, "the deck has no slides %q to %q", first, last)
		return 0, false
	}
	for _, s := range a.deck.Slides[from : to+1] {
		if s.Exercise() == "" {
			minutes += s.Minutes
		}
	}
	return minutes, true
}

func (a *agenda) slide(title string) int {
	return slices.IndexFunc(a.deck.Slides, func(s Slide) bool { return s.Title == title })
}
