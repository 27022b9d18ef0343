//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// process is a node as the test sees it. Its methods may be called concurrently,
// but those that send signals.
type process struct {
	config nodeConfig
	log    string // a file
	cmd    *exec.Cmd
	orders io.WriteCloser
	joined chan string   // gets its ID
	ended  chan struct{} // closed when the process is gone and waited for
	err    error         // its status, once ended
	halted time.Duration // since when it is stopped, or 0

	mu      sync.Mutex
	number  int
	waiting map[int]chan report // guarded by mu
	noted   uint64
}

// launch starts a process that logs to a file in dir.
func launch(t testing.TB, dir string, config nodeConfig) *process {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{config: config, log: filepath.Join(dir, config.Process+".log"), joined: make(chan string, 1),
		ended: make(chan struct{}), waiting: make(map[int]chan report)}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(os.Args[0]) //nolint:gosec // it is this program
	p.cmd.Env = append(os.Environ(), nodeVariable+"="+string(text))
	p.cmd.Stderr = log
	answers, err := p.cmd.StdoutPipe()
	if err == nil {
		p.orders, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go p.listen(answers)
	t.Cleanup(p.kill)
	return p
}

// listen hands reports to those who wait for them, until the process is gone.
func (p *process) listen(answers io.Reader) {
	reports := json.NewDecoder(answers)
	for {
		var r report
		if err := reports.Decode(&r); err != nil {
			break
		}
		if r.Number == 0 {
			p.joined <- r.Self
			continue
		}
		p.mu.Lock()
		p.noted = max(p.noted, r.Noted)
		waiting := p.waiting[r.Number]
		delete(p.waiting, r.Number)
		p.mu.Unlock()
		waiting <- r
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// join waits until the node has joined.
func (p *process) join(ctx context.Context) error {
	select {
	case <-p.joined:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended before it had joined: %w", p.config.Process, p.err)
	case <-ctx.Done():
		return fmt.Errorf("%s has not joined in time", p.config.Process)
	}
}

// tell gives an order and returns the report.
func (p *process) tell(ctx context.Context, o order) (report, error) {
	answer := make(chan report, 1)
	p.mu.Lock()
	p.number++
	o.Number = p.number
	p.waiting[o.Number] = answer
	p.mu.Unlock()
	text, err := json.Marshal(o)
	if err != nil {
		return report{}, err
	}
	if _, err := p.orders.Write(append(text, '\n')); err != nil {
		return report{}, fmt.Errorf("%s: %w", p.config.Process, err)
	}
	select {
	case r := <-answer:
		if r.Error != "" {
			return r, fmt.Errorf("%s: %s", p.config.Process, r.Error)
		}
		return r, nil
	case <-p.ended:
		return report{}, fmt.Errorf("%s has ended: %w", p.config.Process, p.err)
	case <-ctx.Done():
		return report{}, fmt.Errorf("%s does not answer: %w", p.config.Process, ctx.Err())
	}
}

// kill ends the process without warning, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// terminate has the node leave, and returns when the process is gone.
func (p *process) terminate(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s: %w", p.config.Process, err)
	}
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s does not end when told to", p.config.Process)
	}
}

// stop halts the process, and returns when all of it stands still.
func (p *process) stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("%s: %w", p.config.Process, err)
	}
	for !p.stands() {
		if !background.Sleep(ctx, time.Millisecond) {
			return errors.New(p.config.Process + " does not stop")
		}
	}
	p.halted = referee.Now()
	return nil
}

// resume undoes stop, and returns how long it lasted.
func (p *process) resume() referee.Pause {
	pause := referee.Pause{Process: p.config.Process, From: p.halted, To: referee.Now()}
	p.halted = 0
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // it may have been killed
	return pause
}

// stands reports whether every thread of the process is stopped, as Linux tells.
func (p *process) stands() bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		_, after, _ := bytes.Cut(stat, []byte(") "))
		if len(after) > 0 && after[0] != 'T' {
			return false
		}
	}
	return len(stats) > 0
}

// alarms are the lines of the log that no process may write.
func (p *process) alarms() []string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return []string{err.Error()}
	}
	var alarms []string
	for line := range strings.SplitSeq(string(text), "\n") {
		for _, word := range []string{"DATA RACE", "panic:", "fatal error:", "level=ERROR"} {
			if strings.Contains(line, word) {
				alarms = append(alarms, p.config.Process+": "+line)
			}
		}
	}
	return alarms
}
