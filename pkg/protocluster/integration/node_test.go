//go:build integration

package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/faultnet"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// nodeConfig makes a process a node.
type nodeConfig struct {
	Cluster string
	Process string // no other process of a test has it, nor had
	Host    string // where a member listens; a client has none
	Port    int
	Consul  string // its agent's address; "" makes the cluster an eventual one
	Bind    string // of the provider of an eventual cluster
	Seed    string
	Referee string
}

// The times that a node takes at most.
const (
	joinPatience  = 2 * time.Minute
	leavePatience = 10 * time.Second
)

// node is the process of a member or a client.
type node struct {
	config  nodeConfig
	network *faultnet.Network
	desk    *referee.Desk
	cluster *cluster.Cluster

	mu      sync.Mutex
	answers *json.Encoder
	running *running // the load, or nil
}

// runNode is the life of a node: it joins, does as it is told until ctx ends, and
// leaves. If the test is gone, it is gone at once.
func runNode(ctx context.Context, config nodeConfig) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("process", config.Process)
	n := &node{config: config, network: faultnet.New(remote.TCP{}), answers: json.NewEncoder(os.Stdout)}
	var err error
	if n.desk, err = referee.Approach(ctx, config.Referee, config.Process); err != nil {
		return err
	}
	defer n.desk.Close()
	system := actor.NewSystem(actor.WithLogger(logger))
	defer system.Events().Subscribe(func(event any) { logEvent(logger, event) })()
	n.cluster = cluster.New(system, n.clusterConfig())
	joining, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	start := n.cluster.Join
	if config.Host == "" {
		start = n.cluster.Connect
	}
	if err := start(joining); err != nil {
		return err
	}
	logger.Info("joined", "id", system.ID())
	n.report(report{Self: system.ID()})
	go n.obey(ctx)
	<-ctx.Done()
	logger.Info("leaving")
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leavePatience)
	defer cancel()
	return n.cluster.Leave(leaving)
}

func (n *node) clusterConfig() *cluster.Config {
	c := n.config
	listen := remote.Configure(c.Host, c.Port)
	if c.Host == "" {
		listen = remote.Configure("", 0, remote.WithoutListener())
	}
	provider, lookup := c.system()
	kind := cluster.NewKind(probeKind, actor.PropsFromProducer(func() actor.Actor { return &probe{desk: n.desk, process: c.Process} }))
	config := cluster.Configure(c.Cluster, provider, lookup, listen.With(remote.WithNetwork(n.network), remote.WithTypes(&ask{}, &told{})))
	if c.Host != "" {
		config = config.With(cluster.WithKinds(kind))
	}
	return config
}

// probeKind is the kind of all identities.
const probeKind = "probe"

func logEvent(logger *slog.Logger, event any) {
	switch e := event.(type) {
	case *cluster.MemberJoined:
		logger.Info("member joined", "id", e.Member.ID, "address", e.Member.Address, "epoch", e.Epoch)
	case *cluster.MemberLeft:
		logger.Info("member left", "id", e.Member.ID, "address", e.Member.Address, "epoch", e.Epoch)
	case *actor.DeadLetter:
		logger.Debug("dead letter", "to", e.To.String(), "message", fmt.Sprintf("%T", e.Message), "reason", e.Reason)
	}
}

func (n *node) report(r report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.answers.Encode(r) // if the test is gone, obey finds out
}

// obey does what it is told, each order beside the others.
func (n *node) obey(ctx context.Context) {
	orders := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			os.Exit(2) // the test is gone
		}
		go func() {
			r, err := n.do(ctx, o)
			if err != nil {
				r.Error = err.Error()
			}
			r.Number, r.Noted = o.Number, n.desk.Noted()
			n.report(r)
		}()
	}
}

func (n *node) do(ctx context.Context, o order) (r report, err error) {
	switch {
	case o.Cut != nil:
		n.network.Cut(*o.Cut)
	case o.Look != nil:
		r.View, r.Stats = n.cluster.View(), n.cluster.Stats()
	case o.Load != nil:
		err = n.begin(ctx, *o.Load)
	case o.Halt != nil:
		r.Loaded, err = n.halt()
	case o.Sweep != nil:
		r.Swept = n.sweep(ctx, *o.Sweep)
	case o.Dump != nil:
		err = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	}
	return r, err
}

func (n *node) begin(ctx context.Context, l load) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running != nil {
		return errors.New("a load is running")
	}
	n.running = n.start(ctx, l)
	return nil
}

func (n *node) halt() (*loaded, error) {
	n.mu.Lock()
	r := n.running
	n.running = nil
	n.mu.Unlock()
	if r == nil {
		return nil, errors.New("no load is running")
	}
	return r.stop(), nil
}
