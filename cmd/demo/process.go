package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// process is a program that the demo has started, and ends.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone and all it wrote was read
	err   error         // its status, once ended

	mu   sync.Mutex
	last []string // the lines it wrote last
}

// start runs a program; read sees each line that it writes, in order. The
// program has no environment: nothing that is said there is for it.
func (p *process) start(read func(line string), program string, args ...string) error {
	p.ended = make(chan struct{})
	p.cmd = exec.Command(program, args...) //nolint:noctx // ended by kill or by a signal, not with a ctx
	p.cmd.Env = []string{}
	dieWithParent(p.cmd)
	out, in := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = in, in
	if err := p.cmd.Start(); err != nil {
		close(p.ended)
		return err
	}
	var following sync.WaitGroup
	following.Go(func() { p.follow(out, read) })
	go func() {
		p.err = p.cmd.Wait()
		_ = in.Close()
		following.Wait()
		close(p.ended)
	}()
	return nil
}

// follow reads what the process writes until its end.
func (p *process) follow(out io.Reader, read func(line string)) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.mu.Lock()
		if p.last = append(p.last, lines.Text()); len(p.last) > 20 {
			p.last = p.last[1:]
		}
		p.mu.Unlock()
		read(lines.Text())
	}
	_, _ = io.Copy(io.Discard, out) // a line too long must not block the process
}

// ready waits until up is closed. If the process ends before or ctx does, the
// process is gone and the error has its last words.
func (p *process) ready(ctx context.Context, up <-chan struct{}) error {
	select {
	case <-up:
		return nil
	case <-p.ended:
		return fmt.Errorf("demo: %s ended before it was up: %w; it said:\n%s", p.name, p.err, p.lastWords())
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("demo: %s is not up in time: %w; it said:\n%s", p.name, context.Cause(ctx), p.lastWords())
	}
}

func (p *process) lastWords() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.last, "\n")
}

// kill ends the process at once, as kill -9 does, and waits for it. One that is
// stopped ends as well.
func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	}
}

// stop has the process stand still until proceed, as kill -STOP does.
func (p *process) stop() error { return p.signal(syscall.SIGSTOP) }

// proceed undoes stop.
func (p *process) proceed() error { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("demo: send %v to %s: %w", s, p.name, err)
	}
	return nil
}

// gone reports whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
