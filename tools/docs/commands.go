package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// commands are what CI runs: .ci/run, and the Makefile's targets it asks for.
type commands struct {
	targets map[string]target
	run     map[string]bool // targets by name, other commands by their words
}

type target struct {
	needs  []string
	recipe []string
}

// notInCI are the first words of commands that a reader may be told to run
// though CI cannot, and why it cannot.
var notInCI = map[string]string{
	"git clone":          "CI has the repository already",
	"cd":                 "has no effect of its own",
	"make check":         "is CI",
	"make learn":         "is go tool workshop",
	"make slides":        "serves until it is stopped; make slides-test has the same program show each deck",
	"make test-chapter4": "is red until somebody has solved the exercises; make verify-workshop shows that",
	"go tool workshop":   "the tests of cmd/workshop run each command",
	"go get github.com/protocluster/workshop": "CI tests what is not published yet",
}

var (
	rule       = regexp.MustCompile(`^([a-z][a-z0-9-]*):([^=]*)$`)
	makes      = regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`)
	inlineMake = regexp.MustCompile("`make ([a-z][a-z0-9-]*)")
)

func readCommands(root string) (*commands, error) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, err
	}
	ci, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		return nil, err
	}
	return parseCommands(string(makefile), string(ci)), nil
}

func parseCommands(makefile, ci string) *commands {
	c := &commands{targets: map[string]target{}, run: map[string]bool{}}
	name := ""
	for _, line := range unfold(makefile) {
		if recipe, ok := strings.CutPrefix(line, "\t"); ok {
			t := c.targets[name]
			t.recipe = append(t.recipe, strings.TrimLeft(recipe, "@-+"))
			c.targets[name] = t
			continue
		}
		line, _, _ = strings.Cut(line, "#")
		if match := rule.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			name = match[1]
			c.targets[name] = target{needs: strings.Fields(match[2])}
		}
	}
	for _, line := range unfold(ci) {
		line, _, _ = strings.Cut(line, "#")
		for _, match := range makes.FindAllStringSubmatch(line, -1) {
			c.runTarget(match[1])
		}
		c.run[strings.TrimPrefix(words(line), "step ")] = true
	}
	return c
}

// runTarget marks a target and all that make does for it.
func (c *commands) runTarget(name string) {
	if c.run["make "+name] {
		return
	}
	c.run["make "+name] = true
	t := c.targets[name]
	for _, need := range t.needs {
		c.runTarget(need)
	}
	for _, line := range t.recipe {
		line = strings.NewReplacer("$(GO)", "go", "$(MAKE)", "make").Replace(line)
		for _, match := range makes.FindAllStringSubmatch(line, -1) {
			c.runTarget(match[1])
		}
		c.run[words(line)] = true
	}
}

// faults finds the commands that do not exist or that CI does not run.
func (c *commands) faults(d document) []Fault {
	var faults []Fault
	for _, f := range d.fences {
		if f.language != "sh" {
			continue
		}
		for i, line := range unfold(f.text) {
			line, _, _ = strings.Cut(line, " #")
			if why := c.missing(words(line)); why != "" {
				faults = append(faults, d.fault(f.line+i, "%s", why))
			}
		}
	}
	for i, line := range d.prose {
		for _, match := range inlineMake.FindAllStringSubmatch(line, -1) {
			if _, ok := c.targets[match[1]]; !ok {
				faults = append(faults, d.fault(i+1, "the Makefile has no target %q", match[1]))
			}
		}
	}
	return faults
}

// missing says why command is not among what CI runs, or "".
func (c *commands) missing(command string) string {
	if command == "" || strings.HasPrefix(command, "#") || command == "make" || c.run[command] {
		return ""
	}
	for prefix := range notInCI {
		if command == prefix || strings.HasPrefix(command, prefix+" ") || strings.HasPrefix(command, prefix+"/") {
			return ""
		}
	}
	rest, ok := strings.CutPrefix(command, "make ")
	if !ok {
		return "CI does not run " + command + "; run it in .ci/run or in a target that .ci/run makes, word for word"
	}
	for word := range strings.FieldsSeq(rest) {
		if _, exists := c.targets[word]; !exists && !strings.Contains(word, "=") {
			return "the Makefile has no target \"" + word + "\""
		}
		if !strings.Contains(word, "=") && !c.run["make "+word] {
			return "CI does not run make " + word + "; add it to .ci/run"
		}
	}
	return ""
}

// unfold returns the lines of text, those that end in a backslash joined to the
// next and followed by empty ones, so that line numbers stay.
func unfold(text string) []string {
	lines := strings.Split(text, "\n")
	for i := len(lines) - 2; i >= 0; i-- {
		if head, ok := strings.CutSuffix(lines[i], "\\"); ok {
			lines[i], lines[i+1] = head+lines[i+1], ""
		}
	}
	return lines
}

func words(line string) string { return strings.Join(strings.Fields(line), " ") }
