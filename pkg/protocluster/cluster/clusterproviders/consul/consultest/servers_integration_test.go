//go:build integration

package consultest_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
)

// patience bounds an election.
const patience = 30 * time.Second

func TestAgent_TryPutGivesUp(t *testing.T) {
	a := consultest.StartServers(t, t.TempDir(), "127.42.0.4").Leader(patience)
	if a == nil {
		t.Fatal("there is no leader")
	}
	if !a.TryPut("kv/x", []byte("1"), patience) {
		t.Error("TryPut to a server that answers = false, want true")
	}
	a.Pause()
	if a.TryPut("kv/x", []byte("2"), 100*time.Millisecond) {
		t.Error("TryPut to a server that stands still = true, want false")
	}
	a.Resume()
}

func TestServers_KeepTheirStateOverLossOfTheLeaderAndOfAll(t *testing.T) {
	s := consultest.StartServers(t, t.TempDir(), "127.42.0.1", "127.42.0.2", "127.42.0.3")
	leader := s.Leader(patience)
	if leader == nil {
		t.Fatal("there is no leader")
	}
	leader.Put("kv/x", []byte("1"))
	leader.Kill()
	next := s.Leader(patience)
	if next == nil || next == leader {
		t.Fatalf("after the leader was killed, %v leads; want another", next)
	}
	s.Kill()
	s.Restart()
	if s.Leader(patience) == nil {
		t.Fatal("there is no leader after all were killed and restarted")
	}
	for _, a := range s.Agents {
		if got := string(a.Get("kv/x?raw")); got != "1" {
			t.Errorf("at %s x is %q, want 1", a.Address, got)
		}
	}
}
