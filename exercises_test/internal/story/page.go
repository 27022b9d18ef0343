package story

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	mostLines = 25
	mostWidth = 110 // of a table, and of a value
	textWidth = 76  // go test indents by 4, and many a terminal has 80 columns
)

// page writes the story of a failure.
func (s *Story) page(f Failure) string {
	head := wrap(s.claim)
	head = append(head, wrap(f.Happened)...)
	if f.Got != nil || f.Want != nil {
		head = append(head, "", field("got", f.Got), field("want", f.Want))
	}
	tail := append([]string{""}, wrap(f.Lesson)...)
	tail = append(tail, "replay:  "+s.replay(), "read:    "+s.read(f), "hint:    go tool workshop hint "+s.place.exercise)
	const around = 2 // an empty line and the line of what is left out, or the table's head
	lines := head
	if table := s.timeline(mostLines - len(head) - len(tail) - around - 1); len(table) > 0 {
		lines = append(lines, "")
		for _, row := range table {
			lines = append(lines, "  "+row)
		}
	}
	return strings.Join(append(lines, tail...), "\n") + "\n"
}

func (s *Story) replay() string {
	command := fmt.Sprintf("go test -run %s %s", s.t.Name(), s.place.tests)
	if s.seed != 0 {
		command = fmt.Sprintf("%s=%d %s", seedVariable, s.seed, command)
	}
	return command
}

func (s *Story) read(f Failure) string {
	file := s.place.chapter + "/README.md"
	if f.Read != "" {
		file += "#" + f.Read
	}
	return file
}

// field is one value, in one line.
func field(name string, value any) string {
	text := strings.ReplaceAll(fmt.Sprint(value), "\n", "; ")
	return cut(fmt.Sprintf("%-5s %s", name+":", text), mostWidth)
}

// wrap breaks a text between words; an empty one has no lines.
func wrap(text string) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
