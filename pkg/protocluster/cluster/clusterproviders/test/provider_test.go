package test_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestProvider(t *testing.T) {
	testkit.TestProvider(t, func(testing.TB) testkit.ProviderSetup {
		agent := test.NewInMemAgent()
		return testkit.ProviderSetup{
			Provider: func(int) cluster.Provider { return test.NewTestProvider(agent, test.WithTTL(3*time.Second)) },
			Cut:      func(m cluster.Member) { agent.Cut(m.ID) },
			Restore:  func(m cluster.Member) { agent.Restore(m.ID) },
			Settle:   100 * time.Millisecond,
			Expiry:   4 * time.Second,
		}
	})
}

// The agent's store is one of its own kind, and who is cut off from the agent is
// cut off from it.
func TestProvider_IsAViewStore(t *testing.T) {
	testkit.TestViewStore(t, func(testing.TB) testkit.ViewStoreSetup {
		agent := test.NewInMemAgent()
		id := func(node int) string { return fmt.Sprint("member-", node) }
		return testkit.ViewStoreSetup{
			Store:      func(int) cluster.ViewStore { return test.NewTestProvider(agent) },
			Overwrite:  func(data []byte) { agent.Store().Overwrite("shop", data) },
			Cut:        func(node int) { agent.Cut(id(node)) },
			Heal:       func(node int) { agent.Restore(id(node)) },
			LoseAnswer: func(node int) { agent.Store().LoseNext(1, id(node)) },
			Settle:     100 * time.Millisecond,
			Linger:     15 * time.Second,
			Expiry:     30 * time.Second,
		}
	})
}

// A member that was evicted has another ID, and is as cut off as it was.
func TestProvider_CutsOffAMemberUnderItsNextID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agent := test.NewInMemAgent()
		provider := test.NewTestProvider(agent)
		store, err := provider.OpenStore(seated{id: "a"})
		if err != nil {
			t.Fatal(err)
		}
		read := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := store.Read(ctx)
			return err
		}
		agent.Cut("a~2")
		if err := read(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read of a member that is cut off = %v, want a deadline", err)
		}
		agent.Restore("a~2")
		if err := read(); err != nil {
			t.Errorf("Read of a member that is back = %v, want nil", err)
		}
	})
}

// seated is a cluster.Node that has an ID.
type seated struct {
	cluster.Node
	id string
}

func (s seated) ClusterName() string  { return "shop" }
func (s seated) Self() cluster.Member { return cluster.Member{ID: s.id} }
