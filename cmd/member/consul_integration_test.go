//go:build integration

package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

func onConsul(t *testing.T, agent *consultest.Agent) *config {
	t.Helper()
	c, err := parseConfig([]string{"-name", "m1", "-provider", "consul", "-consul", agent.Address, "-lookup", "partition"}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A member on Consul answers under a token, the same one as long as the activation
// lasts.
func TestRun_OnConsulAnAnswerHasAToken(t *testing.T) {
	agent := consultest.Start(t, consultest.Config{})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, onConsul(t, agent), io.Discard) }()

	client := cluster.New(actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))),
		cluster.Configure("workshop", consul.New(consul.WithAddress(agent.Address)), partition.New(), remote.Configure("127.0.0.1", 0)))
	if err := client.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var answers []*userpb.Visited
	for range 2 {
		answer, err := cluster.Request[*userpb.Visited](ctx, client, cluster.Identity{Kind: "user", Identity: "1"}, &userpb.Visit{})
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	epoch := client.View().Epoch
	for i, a := range answers {
		if a.GetToken().GetEpoch() != epoch || a.GetToken().GetCounter() != 1 || a.GetVisits() != int64(i+1) {
			t.Errorf("answer %d = %v, want visit %d of the first activation in epoch %d", i+1, a, i+1, epoch)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run = %v, want nil after it was told to leave", err)
	}
}

// A token that Consul does not know ends the member at once, with the fix.
func TestRun_ATokenWithoutRightsIsToldAtOnce(t *testing.T) {
	agent := consultest.Start(t, consultest.Config{HCL: `acl { enabled = true, default_policy = "deny" }`})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	err := run(ctx, onConsul(t, agent), io.Discard)
	if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "give the token the rule") {
		t.Errorf("run = %v, and ctx %v; want an error at once that names the rule", err, ctx.Err())
	}
}
