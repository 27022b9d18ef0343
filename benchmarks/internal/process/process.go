// Package process runs this program once more, as a server of a contender.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Command is the first argument of a program that is a server; the name of what
// it serves is the second, and more may follow.
const Command = "serve"

// patience is how long a server may take to end.
const patience = 10 * time.Second

// Server is what a process serves: it calls ready with its address once it can
// be reached, and ends when ctx does.
type Server func(ctx context.Context, args []string, ready func(address string)) error

// Serve runs server in this process until standard input ends, which it does
// when the program that started it is gone.
func Serve(ctx context.Context, server Server, args []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return server(ctx, args, func(address string) { fmt.Println(address) })
}

// Process is a server that was started.
type Process struct {
	Address string

	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when it is gone
	err   error         // its status
}

// Start starts a server and returns once it can be reached. Stop or Kill ends
// it.
func Start(ctx context.Context, name string, args ...string) (*Process, error) {
	p := &Process{ended: make(chan struct{})}
	args = append([]string{Command, name}, args...)
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), os.Args[0], args...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("process: start of %s: %w", name, err)
	}
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n') // without one it has failed, as Wait tells
		address <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, lines)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case p.Address = <-address:
	case <-ctx.Done():
	}
	if p.Address == "" {
		p.Kill()
		return nil, fmt.Errorf("process: %s did not start: %w", name, errors.Join(context.Cause(ctx), p.err))
	}
	return p, nil
}

// Output is what a server calls ready with, which then has nothing left to do.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	p, err := Start(ctx, name, args...)
	if err != nil {
		return "", err
	}
	return p.Address, p.Stop()
}

// Stop has the server end, and waits.
func (p *Process) Stop() error {
	_ = p.stdin.Close() // it may be gone
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.Kill()
		return fmt.Errorf("process: %s does not end when told to", strings.Join(p.cmd.Args[1:], " "))
	}
}

// Kill ends the server without warning, and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }
