// Package suite runs the tests of exercises and says how each of them ended.
//
// Run blocks until go test has ended or its context has. It starts no goroutine
// that outlives it, and may be called concurrently. An exercise whose code does
// not compile, panics or hangs costs only its own result.
//
// Read suite.go, then result.go, events.go and full.go.
package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
)

// Options are how the tests run. The zero value is how a learner's do.
type Options struct {
	Overlay string        // a file for go test; "" for the learner's own code
	Race    bool          // with the race detector
	Shuffle bool          // in another order each time
	First   bool          // end each exercise at its first failure, and leave go vet out
	Fresh   bool          // even if nothing has changed since the last run
	Count   int           // how often; 0 means once
	Run     string        // a pattern of test names; "" means all
	Seed    uint64        // of all tests with seeds; 0 means the usual ones
	Seeds   int           // how many seeds; 0 means the usual number
	Trace   bool          // print what happened in tests that pass
	Timeout time.Duration // of one exercise; 0 means 20 s
	Offline bool          // without network
}

// defaultTimeout ends endless loops. An exercise takes two seconds.
const defaultTimeout = 20 * time.Second

// Run tests those exercises and returns a result for each, in their order. Its
// error is about go itself, not about what the tests found.
func Run(ctx context.Context, root string, exercises []*course.Exercise, o Options) ([]*Result, error) {
	if len(exercises) == 0 {
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, "go", o.arguments(exercises)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), o.environment()...)
	group(cmd)
	cmd.Cancel = func() error { return interrupt(cmd) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return nil, fmt.Errorf("suite: go test: %w; is Go installed, and go in the PATH?", err)
	}
	results, err := collect(exercises, bytes.NewReader(out))
	if full(ctx, results, out, stderr.Bytes()) {
		return nil, ErrFull
	}
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if r.Ended == "" {
			return nil, fmt.Errorf("suite: go test said nothing about %s: %s", r.Exercise.TestDir(), bytes.TrimSpace(stderr.Bytes()))
		}
	}
	return results, nil
}

func (o Options) arguments(exercises []*course.Exercise) []string {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	args := []string{"test", "-json", "-timeout=" + timeout.String()}
	add := func(condition bool, arg string) {
		if condition {
			args = append(args, arg)
		}
	}
	add(o.Overlay != "", "-overlay="+o.Overlay)
	add(o.Race, "-race")
	add(o.Shuffle, "-shuffle=on")
	add(o.First, "-vet=off")
	add(o.Count > 0, "-count="+strconv.Itoa(o.Count))
	add(o.Fresh && o.Count == 0, "-count=1")
	add(o.Run != "", "-run="+o.Run)
	for _, e := range exercises {
		args = append(args, "./"+e.TestDir())
	}
	if o.First { // -failfast would end the other exercises, too
		args = append(args, "-args", "-test.failfast")
	}
	return args
}

// environment is set for all runs, so that what the user has set does not
// change what a result means.
func (o Options) environment() []string {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	trace := ""
	if o.Trace {
		trace = "1"
	}
	variables := []string{"WORKSHOP_SEED=" + number(o.Seed), "WORKSHOP_SEEDS=" + number(uint64(max(o.Seeds, 0))), "WORKSHOP_TRACE=" + trace}
	if o.Offline {
		variables = append(variables, "GOPROXY=off", "GOTOOLCHAIN=local")
	}
	return variables
}
