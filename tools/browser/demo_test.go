//go:build integration || pictures

package browser_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const root = "../.."

// patience bounds each wait for something that the page is to show.
const patience = 40 * time.Second

// demo is cmd/demo as a process, which shows the live page of three members on a
// Consul of its own, with a load on 1,000 users.
type demo struct {
	page string // its address

	mu         sync.Mutex
	processes  map[string]int // of members, by name; guarded by mu
	memberPage string         // the address of the page that m1 serves, "" until it has told that; guarded by mu
}

// startDemo builds the programs and starts them; they end with the test.
func startDemo(t *testing.T) *demo {
	t.Helper()
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-o", bin, "./cmd/member", "./cmd/demo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(filepath.Join(bin, "demo"), "-page", "127.0.0.1:0", "-plain", "-provider", "consul",
		"-member", filepath.Join(bin, "member"), "-consul", consul(t))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	d := &demo{processes: make(map[string]int)}
	var reading sync.WaitGroup
	up := make(chan struct{})
	reading.Go(func() { d.read(bufio.NewScanner(out), sync.OnceFunc(func() { close(up) })) })
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt) // it ends its members
		reading.Wait()
		_ = command.Wait()
	})
	select {
	case <-up:
	case <-time.After(patience):
	}
	if d.page == "" || d.ownPage() == "" {
		t.Fatal("the demo does not show its page in time")
	}
	return d
}

// consul is the program that the demo starts.
func consul(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("CONSUL_BIN"); program != "" {
		return program
	}
	if program, err := exec.LookPath("consul"); err == nil {
		return program
	}
	program, err := filepath.Abs(root + "/.bin/consul")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Fatalf("there is no Consul: %v; run make consul, or set CONSUL_BIN", err)
	}
	return program
}

var (
	isUp       = regexp.MustCompile(`(m\d+) is up at \S+, process (\d+)`)
	isPage     = regexp.MustCompile(`the live page is (http://\S+)`)
	memberPage = regexp.MustCompile(`serves a live page too, .*: (http://\S+)`)
)

// read follows what the demo tells until its end; up is called when it has told
// of its page.
func (d *demo) read(lines *bufio.Scanner, up func()) {
	defer up()
	for lines.Scan() {
		line := lines.Text()
		d.mu.Lock()
		if match := isUp.FindStringSubmatch(line); match != nil {
			d.processes[match[1]], _ = strconv.Atoi(match[2])
		}
		if strings.Contains(line, "m1 has ended") {
			d.memberPage = ""
		}
		if match := memberPage.FindStringSubmatch(line); match != nil {
			d.memberPage = match[1]
		}
		d.mu.Unlock()
		if match := isPage.FindStringSubmatch(line); match != nil {
			d.page = match[1]
			up()
		}
	}
}

// ownPage is the page of m1, which is at another address after each start.
func (d *demo) ownPage() string {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		d.mu.Lock()
		page := d.memberPage
		d.mu.Unlock()
		if page != "" {
			return page
		}
	}
	return ""
}

// signal sends a signal to a member's process.
func (d *demo) signal(t *testing.T, member string, s syscall.Signal) {
	t.Helper()
	d.mu.Lock()
	process := d.processes[member]
	d.mu.Unlock()
	if process == 0 {
		t.Fatalf("there is no process of %q", member)
	}
	if err := syscall.Kill(process, s); err != nil {
		t.Fatal(fmt.Errorf("%v to %s: %w", s, member, err))
	}
}
