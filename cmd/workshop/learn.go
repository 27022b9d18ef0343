package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

// start checks what the workshop needs, and says where to begin.
func start(ctx context.Context, a *app, _ []string) error {
	fmt.Fprint(a.out, "Welcome. You will write the parts of a cluster of virtual actors, one after\nanother, and then run them.\n\n")
	for _, c := range checks(ctx, a.course.Root) {
		mark := a.paint(green, "ok")
		if c.fix != "" {
			mark = a.paint(red, "--")
		}
		fmt.Fprintf(a.out, "  %s  %s\n", mark, c.what)
		if c.fix != "" {
			fmt.Fprintf(a.out, "      %s\n", c.fix)
		}
	}
	fmt.Fprintln(a.out)
	return next(ctx, a, nil)
}

// check is something that the workshop needs, and how to get it if it is
// missing.
type check struct{ what, fix string }

func checks(ctx context.Context, root string) []check {
	all := []check{{what: "Go is there"}}
	if out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output(); err != nil {
		all[0] = check{"Go is not in the PATH", "install Go 1.26 or later from https://go.dev/dl, and open a new terminal"}
	} else {
		all[0].what = strings.TrimSpace(string(out)) + " is there"
	}
	build := exec.CommandContext(ctx, "go", "vet", "./chapters/todo", "./exercises_test/internal/...")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		last := strings.TrimSpace(string(out))
		all = append(all, check{"the workshop does not build: " + last[strings.LastIndex(last, "\n")+1:],
			"run go mod download once while you are online; after that nothing needs a network"})
	} else {
		all = append(all, check{what: "the workshop builds, and needs no network from here on"})
	}
	if listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		all = append(all, check{"no port can be opened on 127.0.0.1", "the lab at the end needs some; a firewall may be in the way"})
	} else {
		_ = listener.Close()
		all = append(all, check{what: "ports can be opened on this machine"})
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return append(all, check{"Docker is not there", "only the lab at the end needs it; all exercises work without"})
	}
	return append(all, check{what: "Docker is there, for the lab at the end"})
}

// next says where the learner is and what to do.
func next(_ context.Context, a *app, _ []string) error {
	p, err := a.progress()
	if err != nil {
		return err
	}
	e, err := a.current()
	if err != nil {
		return err
	}
	done, count, minutes, whole := 0, 0, 0, 0
	for _, one := range a.course.Exercises() {
		s, err := a.state(one, p)
		if err != nil {
			return err
		}
		count, whole = count+1, whole+one.Minutes
		if s == passed {
			done, minutes = done+1, minutes+one.Minutes
		}
	}
	fmt.Fprintf(a.out, "%s %d of %d exercises are done, %d of %d minutes.\n\n", bar(minutes, whole), done, count, minutes, whole)
	if done == count {
		a.farewell()
		return nil
	}
	a.announce(e)
	return nil
}

// farewell says what can be done with what has been written.
func (a *app) farewell() {
	fmt.Fprintf(a.out, "That is all there is. %s\n", a.paint(green, "Your code is a cluster."))
	fmt.Fprint(a.out, "  run      go run -tags=chapter4 ./cmd/member -lookup chapter4\n"+
		"  compare  go tool workshop diff 4.1, and so on\n"+
		"  read     chapters/chapter4/README.md#what-is-not-guaranteed\n")
}

// announce says what an exercise is about, and how to begin.
func (a *app) announce(e *course.Exercise) {
	where := fill(fmt.Sprintf("You are at %s: %s %d minutes.", title(e), e.Objective, e.Minutes), "")
	fmt.Fprintln(a.out, strings.Replace(where, title(e)+":", a.paint(bold, title(e)+":"), 1))
	fmt.Fprintf(a.out, "  read   %s/README.md\n", e.LearnerDir())
	if e.Written() {
		fmt.Fprintf(a.out, "  write  %s/%s.go\n", e.LearnerDir(), e.Package())
	}
	fmt.Fprint(a.out, "  test   go tool workshop watch, at each save; go tool workshop test, once\n")
	if e.Written() {
		fmt.Fprintf(a.out, "  stuck  go tool workshop hint %s\n", e.ID)
	}
}

// list lists all exercises and how far they are.
func list(_ context.Context, a *app, _ []string) error {
	p, err := a.progress()
	if err != nil {
		return err
	}
	here, err := a.current()
	if err != nil {
		return err
	}
	for _, chapter := range a.course.Chapters {
		fmt.Fprintf(a.out, "Chapter %s, %s\n", chapter.ID, chapter.Title)
		for _, e := range chapter.Exercises {
			if e.Draft {
				continue
			}
			if err := a.row(e, p, e == here); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) row(e *course.Exercise, p progress.Progress, here bool) error {
	s, err := a.state(e, p)
	if err != nil {
		return err
	}
	mark, colour := map[state]string{passed: "done", changed: "changed", begun: "begun"}[s], faint
	if s == passed {
		colour = green
	}
	arrow := "  "
	if here {
		arrow = "> "
	}
	level := ""
	if e.Level != course.Core {
		level = string(e.Level)
	}
	mark = a.paint(colour, fmt.Sprintf("%-7s", mark))
	fmt.Fprintf(a.out, "%s%s  %-5s %-10s %3d min  %-7s  %s\n", arrow, mark, e.ID, e.Title, e.Minutes, level, e.Objective)
	return nil
}
