package docs

import (
	"encoding/json"
	"fmt"
	"strings"
)

// document is a Markdown file taken apart.
type document struct {
	file   string
	fences []fence
	prose  []string // line by line, empty where a fence is
	faults []Fault  // of its form
}

// fence is a fenced code block, or a comment that starts with "<!-- go".
type fence struct {
	line     int // of the first line of text
	language string
	text     string
}

func (d *document) fault(line int, format string, args ...any) Fault {
	return Fault{File: d.file, Line: line, Text: fmt.Sprintf(format, args...)}
}

func parse(file, text string) document {
	d := document{file: file}
	var open *fence // the one being read
	var closing, indent string
	for i, line := range strings.Split(text, "\n") {
		prose, trimmed := "", strings.TrimLeft(line, " \t>")
		switch {
		case open == nil && strings.HasPrefix(trimmed, "<!-- go"):
			open, closing, indent = &fence{line: i + 2, language: "go"}, "-->", ""
		case open == nil && opensFence(trimmed):
			indent = line[:len(line)-len(trimmed)]
			closing = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, trimmed[:1]))]
			language, _, _ := strings.Cut(trimmed[len(closing):], " ")
			open = &fence{line: i + 2, language: language}
		case open != nil && strings.HasPrefix(trimmed, closing):
			d.fences = append(d.fences, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		default:
			prose = line
		}
		d.prose = append(d.prose, prose)
	}
	if open != nil {
		d.faults = append(d.faults, d.fault(open.line-1, "this block is never closed with %q", closing))
	}
	return d
}

func opensFence(line string) bool {
	return strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~")
}

// languageFaults finds the fences that no check covers.
func languageFaults(d document) []Fault {
	var faults []Fault
	for _, f := range d.fences {
		switch f.language {
		case "go", "sh": // gocode.go, commands.go
		case "text": // output
		case "mermaid":
			faults = append(faults, drawingFaults(d, f)...)
		case "json":
			if !json.Valid([]byte(f.text)) {
				faults = append(faults, d.fault(f.line, "this is not JSON"))
			}
		default:
			faults = append(faults, d.fault(f.line-1,
				"no check covers fences in %q; use go, sh, json, text or mermaid, or add a check to tools/docs", f.language))
		}
	}
	return faults
}

// drawingFaults finds the two slips that make a page show an error in place of a
// mermaid drawing and that need no mermaid to be seen.
func drawingFaults(d document, f fence) []Fault {
	var faults []Fault
	switch kind := strings.Fields(f.text + " ?")[0]; kind {
	case "flowchart", "sequenceDiagram", "stateDiagram-v2", "classDiagram", "gantt":
	default:
		faults = append(faults, d.fault(f.line, "%q is no kind of drawing that mermaid knows", kind))
	}
	for i, line := range strings.Split(f.text, "\n") {
		if strings.Contains(line, ";") {
			faults = append(faults, d.fault(f.line+i, "mermaid ends the line at the semicolon; use a comma"))
		}
	}
	return faults
}
