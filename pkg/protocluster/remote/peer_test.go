package remote_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	peerEnv = "REMOTE_TEST_PEER"
	run     = 1000 // messages that are counted at once
)

// peer is a node in another process: a test that serves as one, in this very
// program. It has the actors echo and sink, and the streams of rawDesc.
type peer struct {
	address string
	process *os.Process
}

// at is the PID of an actor of p.
func (p *peer) at(id string) *actor.PID { return actor.NewPID(p.address, id) }

// startPeer starts a peer, which ends with the test at the latest. The test that
// serves as peers is TestBetweenProcesses.
func startPeer(t testing.TB) *peer {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBetweenProcesses$")
	child.Env, child.Stderr = append(os.Environ(), peerEnv+"=1"), os.Stderr
	stdin, in := child.StdinPipe()
	stdout, out := child.StdoutPipe()
	if err := child.Start(); in != nil || out != nil || err != nil {
		t.Fatal(in, out, err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = child.Wait()
	})
	address := ""
	for lines := bufio.NewScanner(stdout); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "address ")
	}
	if address == "" {
		t.Fatal("the peer did not start")
	}
	return &peer{address, child.Process}
}

// servePeer is a peer until the process that started it closes its standard input.
func servePeer(t *testing.T) {
	t.Helper()
	n := start(t, remote.Configure("127.0.0.1", 0, remote.WithService(&rawDesc, rawServer{})))
	n.echo(t, "echo")
	n.sink(t, "sink")
	fmt.Println("address", n.Address())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// sink starts an actor that tells the sender of each run of messages that it had
// them, in order: the first four bytes of each are its number, from 0.
func (n *node) sink(t testing.TB, name string) {
	t.Helper()
	next := map[string]uint32{}
	n.spawn(t, name, func(ctx actor.Context) {
		m, ok := ctx.Message().(*wrapperspb.BytesValue)
		if !ok {
			return
		}
		from := ctx.Sender().String()
		if number(m) != next[from] {
			ctx.Respond("lost or reordered")
			return
		}
		if next[from]++; next[from]%run == 0 {
			ctx.Respond("a run")
		}
	})
}
