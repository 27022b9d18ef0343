package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// textWidth fits terminals of 80 columns.
const textWidth = 78

var (
	item = regexp.MustCompile(`^ *(?:-|\d+\.) `)
	link = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)
)

// fill breaks the lines of a Markdown text anew, each after an indent, and leaves
// out what only a browser needs: fences, and where links lead. Code and tables
// keep their lines.
func fill(text, indent string) string {
	var out, words []string
	hang := ""
	flush := func() {
		out = append(out, lay(words, indent, hang)...)
		words, hang = nil, ""
	}
	fenced := false
	for line := range strings.SplitSeq(text, "\n") {
		mark := item.FindString(line)
		switch {
		case strings.HasPrefix(line, "```"):
			flush()
			fenced = !fenced
		case fenced || strings.HasPrefix(line, "|") || strings.TrimSpace(line) == "":
			flush()
			out = append(out, strings.TrimRight(indent+line, " "))
		default:
			if mark != "" {
				flush()
				hang = strings.Repeat(" ", len(mark))
			}
			words = append(words, strings.Fields(link.ReplaceAllString(line, "$1"))...)
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// lay makes lines of words, the first after indent, the others after hang as
// well.
func lay(words []string, indent, hang string) (lines []string) {
	line, begin := "", indent
	for _, word := range words {
		switch {
		case line == "":
			line = begin + word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth:
			lines, begin = append(lines, line), indent+hang
			line = begin + word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
