//go:build integration

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sleeper is a process that would go on for long.
func sleeper(t *testing.T) *process {
	t.Helper()
	p := &process{name: "sleeper"}
	if err := p.start(func(string) {}, "sleep", "60"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func TestProcess_KillEndsOneThatIsStopped(t *testing.T) {
	p := sleeper(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p.kill()
	if !p.gone() {
		t.Error("a process that was stopped is there after kill")
	}
}

func TestProcess_NotReadyInTimeItIsGone(t *testing.T) {
	p := sleeper(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errTooLong)
	defer cancel()
	if err := p.ready(ctx, nil); err == nil || !strings.Contains(err.Error(), errTooLong.Error()) {
		t.Errorf("ready = %v, want the cause", err)
	}
	if !p.gone() {
		t.Error("a process that was not ready in time is there")
	}
}

func TestProcess_TheErrorOfOneThatEndsHasItsLastWords(t *testing.T) {
	p := &process{name: "sh"}
	if err := p.start(func(string) {}, "sh", "-c", "echo no luck >&2; exit 3"); err != nil {
		t.Fatal(err)
	}
	err := p.ready(t.Context(), nil)
	for _, want := range []string{"sh ended before it was up", "exit status 3", "no luck"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("ready = %v, want %q in it", err, want)
		}
	}
}

// What the demo has started ends with it, also when it is told to end in the
// middle of the story.
func TestDemo_EndsEverythingWhenInterrupted(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../member", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, provider := range []string{"automanaged", "consul"} {
		t.Run(provider, func(t *testing.T) { interrupt(t, bin, provider) })
	}
}

func interrupt(t *testing.T, bin, provider string) {
	t.Helper()
	args := []string{"-member", filepath.Join(bin, "member"), "-provider", provider, "-plain"}
	if provider == "consul" {
		args = append(args, "-consul", consulOrSkip(t))
	}
	demo := exec.CommandContext(t.Context(), filepath.Join(bin, "demo"), args...)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	demo.Stderr = &complaint
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	var started []int
	number := regexp.MustCompile(`, process (\d+)`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if match := number.FindStringSubmatch(lines.Text()); match != nil {
			pid, _ := strconv.Atoi(match[1])
			started = append(started, pid)
		}
		if strings.Contains(lines.Text(), "kill -9") {
			_ = demo.Process.Signal(os.Interrupt)
		}
	}
	if err := demo.Wait(); err == nil || demo.ProcessState.ExitCode() != 1 || !strings.Contains(complaint.String(), "interrupt") {
		t.Errorf("the demo ends with %v and says %q; want status 1, and that it was interrupted", err, complaint.String())
	}
	if len(started) < 3 {
		t.Fatalf("the demo tells of the processes %v, want all", started)
	}
	for _, pid := range started {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is there after the demo", pid)
		}
	}
}

// consulOrSkip is a Consul for a demo that runs in this folder.
func consulOrSkip(t *testing.T) string {
	t.Helper()
	t.Chdir("../..")
	program, err := findConsul("")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	program, err = filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	return program
}
