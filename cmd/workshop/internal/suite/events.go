package suite

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
)

// event is a line of go test -json; cmd/test2json and cmd/go/internal/test.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of what is built
	Test        string
	Output      string
	Key, Value  string // of an attribute
	Elapsed     float64
	FailedBuild string
}

// collector sorts events by exercise.
type collector struct {
	results []*Result
	builds  map[string][]string // the compiler's lines by import path
}

// collect reads what go test -json wrote about those exercises.
func collect(exercises []*course.Exercise, in io.Reader) ([]*Result, error) {
	c := collector{builds: make(map[string][]string)}
	for _, e := range exercises {
		c.results = append(c.results, &Result{Exercise: e})
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "{") {
			var e event
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				return nil, fmt.Errorf("suite: go test -json: %w", err)
			}
			c.add(e)
		}
		if err == io.EOF {
			return c.results, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *collector) add(e event) {
	if e.Action == "build-output" {
		c.builds[e.ImportPath] = append(c.builds[e.ImportPath], strings.TrimRight(e.Output, "\n"))
		return
	}
	r := c.result(e.Package)
	switch {
	case r == nil:
	case e.Test == "":
		c.addPackage(r, e)
	default:
		r.addTest(e)
	}
}

func (c *collector) result(pkg string) *Result {
	for _, r := range c.results {
		if strings.HasSuffix(pkg, "/"+r.Exercise.TestDir()) {
			return r
		}
	}
	return nil
}

func (c *collector) addPackage(r *Result, e event) {
	switch e.Action {
	case "output":
		line := strings.TrimRight(e.Output, "\n")
		r.Cached = r.Cached || strings.HasSuffix(line, "(cached)")
		r.Output = append(r.Output, line)
	case "pass", "fail", "skip":
		r.Ended, r.Elapsed = Outcome(e.Action), seconds(e.Elapsed)
		if e.FailedBuild != "" {
			r.Ended, r.Build = Broken, c.builds[e.FailedBuild]
		} else if general := c.builds[""]; e.Action == "fail" && len(r.Tests) == 0 && len(general) > 0 {
			r.Ended, r.Build = Broken, general // go names no package if there is nothing in it
		}
		for _, t := range r.Tests {
			if t.Ended == Unfinished && r.Ended == Passed {
				r.Ended = Failed // nothing should do that
			}
		}
	}
}

func (r *Result) addTest(e event) {
	name, _, sub := strings.Cut(e.Test, "/")
	t := r.Test(name)
	if t == nil {
		t = &Test{Name: name, Ended: Unfinished}
		r.Tests = append(r.Tests, t)
	}
	switch e.Action {
	case "attr":
		t.attribute(e.Key, e.Value)
	case "output":
		if line := strings.TrimRight(e.Output, "\n"); told(line) {
			t.Output = append(t.Output, line)
		}
	case "run":
		if !sub && t.Ended == Passed { // again, with -count
			t.Ended = Unfinished
		}
	case "pass", "fail", "skip":
		if !sub {
			t.Ended, t.Elapsed = worse(t.Ended, Outcome(e.Action)), seconds(e.Elapsed)
		}
	}
}

func (t *Test) attribute(key, value string) {
	switch key {
	case "misconception":
		t.Misconception = value
	case "trace":
		t.Unsteady = t.Unsteady || t.Trace != "" && t.Trace != value
		t.Trace = value
	}
}

// worse keeps a failure when a test runs again and passes.
func worse(old, latest Outcome) Outcome {
	if old == Failed {
		return old
	}
	return latest
}

// told reports whether a line is the test's own.
func told(line string) bool {
	for _, frame := range []string{"=== RUN", "=== ATTR", "=== PAUSE", "=== CONT", "=== NAME", "--- "} {
		if strings.HasPrefix(strings.TrimSpace(line), frame) {
			return false
		}
	}
	return true
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
