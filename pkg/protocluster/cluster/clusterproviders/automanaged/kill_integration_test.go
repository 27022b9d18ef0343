//go:build integration

package automanaged_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// The environment of a child.
const (
	seedOfChild = "AUTOMANAGED_TEST_SEED"
	idOfChild   = "AUTOMANAGED_TEST_ID"
)

// TestChild is a node in a process of its own, for TestAKilledProcessIsDropped.
func TestChild(t *testing.T) {
	seed := os.Getenv(seedOfChild)
	if seed == "" {
		return
	}
	run(t, automanaged.New(seed), remote.TCP{}, "127.0.0.1:8099", withID(os.Getenv(idOfChild)))
	<-t.Context().Done()
}

// How long it takes is asserted by TestACrashedNodeIsDropped, whose time is virtual:
// nodes that have to wait for a processor blame themselves, and probe more slowly.
func TestAKilledProcessIsDropped(t *testing.T) {
	seed := free(t, 1)[0]
	nodes := []*node{
		run(t, automanaged.New(seed), remote.TCP{}, "127.0.0.1:8091"),
		run(t, automanaged.New(seed), remote.TCP{}, "127.0.0.1:8092"),
	}
	allSee(t, nodes...)
	for i := range 5 {
		id := fmt.Sprint("child-", i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestChild$")
		child.Env = append(os.Environ(), seedOfChild+"="+seed, idOfChild+"="+id)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			n.until(t, "a view with the child", func(members []cluster.Member) bool {
				return slices.ContainsFunc(members, func(m cluster.Member) bool { return m.ID == id })
			})
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_ = child.Wait() // it was killed
		allSee(t, nodes...)
		t.Logf("dropped after %v", time.Since(began).Round(time.Millisecond))
	}
}
