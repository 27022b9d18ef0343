package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ports"
)

// Options say how a lab is started.
type Options struct {
	Code   Code
	Port   int    // of the page, on 127.0.0.1
	Lookup string // of the members, instead of the one of Code; for tests of the check itself
}

// Up builds the members and starts the lab; it returns when all its users answer
// and the page is there. A lab that runs is taken down first.
func (l *Lab) Up(ctx context.Context, o Options) error {
	arch, err := l.arch(ctx)
	if err != nil {
		return err
	}
	if all, err := l.containers(ctx); err != nil || len(all) > 0 {
		if err == nil {
			l.Tell("a lab runs already: it goes first")
			err = l.Down(ctx)
		}
		if err != nil {
			return err
		}
	}
	if err := available(ctx, o.Port); err != nil {
		return err
	}
	consul, err := l.consulImage(ctx)
	if err != nil {
		return err
	}
	l.Tell("building the members, with %s", o.Code.title())
	if err := l.memberImage(ctx, o.Code, arch); err != nil {
		return err
	}
	free, err := ports.Free(ctx, 2) // now that the image is there, and the client starts soon
	if err != nil {
		return err
	}
	clientPort := free[0]
	if clientPort == o.Port {
		clientPort = free[1]
	}
	s := &state{Code: o.Code, Port: o.Port, ClientPort: clientPort, Token: rand.Text(), Since: time.Now()}
	if err := os.Remove(l.path("actions.jsonl")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := l.remember(s); err != nil {
		return err
	}
	l.Tell("starting Consul, three members and a client")
	lookup := o.Lookup
	if lookup == "" {
		lookup = o.Code.lookup()
	}
	env := []string{
		"CONSUL_IMAGE=" + consul, "MEMBER_IMAGE=" + o.Code.image(),
		"MEMBER_LOOKUP=" + lookup, fmt.Sprint("LAB_PORT=", clientPort),
	}
	if err := l.start(ctx, env); err != nil {
		return err
	}
	if err := l.startControl(ctx, s); err != nil {
		return err
	}
	return l.whole(ctx, 30*time.Second)
}

// start runs compose, and gives up as soon as a container has ended.
func (l *Lab) start(ctx context.Context, env []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute,
		errors.New("the lab is not up after two minutes; look at docker ps, and try again"))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- l.compose(ctx, env, "up", "--detach", "--no-build") }()
	next := time.NewTicker(time.Second)
	defer next.Stop()
	for {
		select {
		case err := <-ended:
			if crash := l.crashed(ctx); crash != nil {
				return crash
			}
			return err
		case <-next.C:
			if crash := l.crashed(ctx); crash != nil {
				cancel()
				return errors.Join(crash, unlessCanceled(<-ended))
			}
		}
	}
}

// unlessCanceled is an error that start did not cause itself.
func unlessCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// crashed tells of a container that should run and does not, with its last words.
func (l *Lab) crashed(ctx context.Context) error {
	all, err := l.containers(ctx)
	if err != nil {
		return nil //nolint:nilerr // it is asked again, or compose tells
	}
	for _, name := range append([]string{"consul"}, append(slices.Clone(Members), "client")...) {
		c := all[name]
		if c.State != "exited" && c.State != "dead" && c.Health != "unhealthy" {
			continue
		}
		words := lastWords(l.docker.logs(ctx, c.ID))
		if c.Health == "unhealthy" {
			return fmt.Errorf("%s is not healthy; it said: %s; go tool workshop lab down, then up, tries again", name, words)
		}
		return fmt.Errorf("%s ended as soon as it was started; it said: %s", name, words)
	}
	return nil
}

// lastWords are the last line that is meant for people, or else the last of the
// log, which is JSON.
func lastWords(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range slices.Backward(lines) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "{") {
			return line
		}
	}
	return lastLine(text, "nothing")
}

// whole waits until the client knows all members and hears all users.
func (l *Lab) whole(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r, err := l.Report(ctx, time.Now())
		if err == nil && len(r.Members) == len(Members) && r.Unheard == 0 && len(r.Homes) == r.Users && r.Users > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
			continue
		}
		switch {
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		case r != nil:
			return fmt.Errorf("after %v the client sees %s, and %d of %d users do not answer; go tool workshop lab status says more",
				patience, strings.Join(r.Members, ", "), r.Unheard, r.Users)
		}
		return fmt.Errorf("the client says nothing for %v; go tool workshop lab down, then up, tries again", patience)
	}
}

// Down removes the lab's containers, networks and volume, and the control server,
// whatever there is of them, and nothing else. After an error it can be called again.
func (l *Lab) Down(ctx context.Context) error {
	if err := l.stopControl(ctx); err != nil {
		return err
	}
	label := "label=com.docker.compose.project=" + l.Project
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "--all", "--quiet", "--no-trunc"}, []string{"rm", "--force", "--volumes"}},
		{[]string{"network", "ls", "--quiet"}, []string{"network", "rm"}},
		{[]string{"volume", "ls", "--quiet"}, []string{"volume", "rm", "--force"}},
	} {
		out, err := l.docker.command(ctx, append(kind.list, "--filter", label)...)
		if ids := strings.Fields(out); err == nil && len(ids) > 0 {
			_, err = l.docker.command(ctx, append(kind.remove, ids...)...)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range []string{"state.json", "actions.jsonl"} {
		if err := os.Remove(l.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// available tells if a port of this machine is taken.
func available(ctx context.Context, port int) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("port %d of this machine is taken; choose another with go tool workshop lab up -port %d", port, port+10)
	}
	return listener.Close()
}
