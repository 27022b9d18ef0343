package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// poll is how often watch looks at the files: polling works on every file
// system, also on those that a container or a network has.
const poll = 300 * time.Millisecond

// watch runs the tests of an exercise at each save, until ctx ends or the
// learner says q.
func watch(ctx context.Context, a *app, args []string) error {
	names, err := flags("watch", args, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	e, err := a.one("watch", names)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keys := a.keys(ctx)
	for {
		seen, err := a.seen() // before the tests run, so that no save is missed
		if err != nil {
			return err
		}
		err = a.untilSaved(ctx, seen, func(ctx context.Context) error { return a.look(ctx, e) })
		if errors.Is(err, errSaved) {
			continue
		}
		if err != nil {
			return err
		}
		again := false
		for !again {
			key, err := a.await(ctx, seen, keys)
			if err != nil || key == "q" {
				return err
			}
			if e, again, err = a.press(ctx, e, key); err != nil {
				return err
			}
		}
	}
}

// errSaved says that what is being tested is not what there is any more.
var errSaved = errors.New("a file was saved")

// untilSaved does some work, and gives it up with errSaved when a file changes:
// an endless loop that has been mended should not be waited for.
func (a *app) untilSaved(ctx context.Context, seen map[*course.Exercise]string, work func(context.Context) error) error {
	working, giveUp := context.WithCancelCause(ctx)
	var poller sync.WaitGroup
	poller.Go(func() {
		if _, err := a.await(working, seen, nil); err == nil {
			giveUp(errSaved)
		}
	})
	err := work(working)
	giveUp(nil)
	poller.Wait()
	if errors.Is(err, context.Canceled) {
		return context.Cause(working)
	}
	return err
}

// keys are the lines that are typed, one letter each. The goroutine ends with
// the input, or with the program: reading a terminal cannot be interrupted.
func (a *app) keys(ctx context.Context) <-chan string {
	keys := make(chan string)
	go func() {
		defer close(keys)
		for {
			line, err := a.in.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case keys <- strings.ToLower(strings.TrimSpace(line)):
			case <-ctx.Done():
				return
			}
		}
	}()
	return keys
}

// seen is what the files of all exercises are now.
func (a *app) seen() (map[*course.Exercise]string, error) {
	prints := map[*course.Exercise]string{}
	for _, e := range a.course.Exercises() {
		mark, err := progress.Fingerprint(e)
		if err != nil {
			return nil, err
		}
		prints[e] = mark
	}
	return prints, nil
}

// look runs the tests and shows what they say, then runs what was green and has
// changed.
func (a *app) look(ctx context.Context, e *course.Exercise) error {
	if a.screen {
		fmt.Fprint(a.out, "\x1b[H\x1b[2J") // an empty screen
	}
	r, err := a.try(ctx, e, suite.Options{})
	if err != nil {
		return err
	}
	if err := a.result(r); err != nil {
		return err
	}
	if err := a.broken(ctx, e); err != nil {
		return err
	}
	moves := "h hint, r run, l list, q quit"
	if r.Solved() {
		a.ledger(e)
		moves = "n next, " + moves
	}
	fmt.Fprintf(a.out, "\n%s\n", a.paint(faint, "Waiting for a save, or a key and Enter: "+moves))
	return nil
}

// broken names the finished exercises that are not green any more.
func (a *app) broken(ctx context.Context, but *course.Exercise) error {
	p, err := a.progress()
	if err != nil {
		return err
	}
	for _, e := range a.course.Exercises() {
		s, err := a.state(e, p)
		if err != nil {
			return err
		}
		if e == but || s != changed {
			continue
		}
		r, err := a.try(ctx, e, suite.Options{})
		if err != nil {
			return err
		}
		if !r.Solved() {
			fmt.Fprintf(a.out, "\n%s was green, and is red since your last change: go tool workshop test %s\n",
				a.paint(red, title(e)), e.ID)
		}
	}
	return nil
}

// await returns the key that was pressed, or "" when a file has changed.
func (a *app) await(ctx context.Context, seen map[*course.Exercise]string, keys <-chan string) (string, error) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case key, open := <-keys:
			if open {
				return key, nil
			}
			keys = nil // nobody types any more; saves still count
		case <-ticker.C:
			now, err := a.seen()
			if err != nil {
				continue // an editor is just replacing a file
			}
			for e, mark := range now {
				if seen[e] != mark {
					return "", nil
				}
			}
		}
	}
}

// press does what a key says, and returns the exercise to go on with and whether
// its tests run now. What else a key shows stays on the screen.
func (a *app) press(ctx context.Context, e *course.Exercise, key string) (_ *course.Exercise, run bool, err error) {
	switch key {
	case "n":
		following, err := a.current()
		return following, true, err
	case "h":
		return e, false, hint(ctx, a, []string{e.ID})
	case "l":
		return e, false, list(ctx, a, nil)
	case "", "r": // a save, too
		return e, true, nil
	}
	fmt.Fprintf(a.out, "%q is no key. They are n next, h hint, r run, l list, q quit.\n", key)
	return e, false, nil
}
