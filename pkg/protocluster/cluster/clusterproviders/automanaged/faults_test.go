package automanaged_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestCheckReportsEveryFault(t *testing.T) {
	p := automanaged.NewWith(automanaged.Config{
		Seeds:         []string{"10.0.0.1", "10.0.0.1:0", "0.0.0.0:6330", "10.0.0.1:seventy"},
		Bind:          "here",
		Advertise:     ":0",
		ProbeInterval: -time.Second,
		SecretKey:     []byte("short"),
	})
	err := p.Check(t.Context(), testkit.NewNetwork().Host(host(1)))
	mentions(t, err, `"10.0.0.1"`, `"10.0.0.1:0"`, `"0.0.0.0:6330"`, `"10.0.0.1:seventy"`, `Bind "here"`, `Advertise ":0"`,
		"ProbeInterval is -1s", "SecretKey has 5 bytes")
}

func TestNoSeedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		network.Crash(host(2))
		p := automanaged.New(seed(1), seed(2))
		began := time.Now()
		err := p.Check(t.Context(), network.Host(host(3)))
		mentions(t, err, seed(1)+": ", "connection refused", seed(2)+": ", "deadline exceeded", "start a member")
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("Check took %v, want about 5s", took)
		}
		n := run(t, p, network.Host(host(3)), address(3))
		err = n.failed(t)
		mentions(t, err, `cluster "shop"`, seed(1)+": ", "connection refused", seed(2)+": ", "deadline exceeded", "start a member")
		join, ok := errors.AsType[*automanaged.JoinError](err)
		if !ok || len(join.Attempts) != 2 || join.Attempts[0].Seed != seed(1) {
			t.Errorf("Run = %#v, want a JoinError with two attempts", err)
		}
	})
}

func TestCheckPassesWhereANodeCanStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		for _, tt := range []struct {
			name   string
			config automanaged.Config
			host   int
		}{
			{"a seed of its own", automanaged.Config{Seeds: []string{seed(9), seed(1)}}, 1},
			{"bound to a seed", automanaged.Config{Seeds: []string{seed(9), seed(1)}, Bind: seed(1)}, 1},
			{"no seeds", automanaged.Config{Bind: "10.0.0.1:0"}, 1},
			{"defaults", automanaged.Config{}, 1},
		} {
			if err := automanaged.NewWith(tt.config).Check(t.Context(), network.Host(host(tt.host))); err != nil {
				t.Errorf("%s: Check = %v, want nil", tt.name, err)
			}
		}
	})
}

func TestANonSeedWaitsForASeedToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		p := automanaged.New(seed(1))
		early := run(t, p, network.Host(host(2)), address(2))
		testkit.Advance(2 * time.Second)
		if _, reports := early.view(); reports != 0 {
			t.Errorf("%d reports without a seed, want none", reports)
		}
		allSee(t, run(t, p, network.Host(host(1)), address(1)), early)
	})
}

func TestASeedOfAnotherClusterIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		baker := run(t, automanaged.New(seed(1)), network.Host(host(1)), address(1), inCluster("bakery"))
		baker.sees(t, baker)
		for _, seeds := range [][]string{{seed(1)}, {seed(1), seed(2)}} { // the second may be the first of its cluster
			began := time.Now()
			n := run(t, automanaged.New(seeds...), network.Host(host(2)), address(2))
			mentions(t, n.failed(t), seed(1), `it belongs to cluster "bakery", this node to "shop"`)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("Run failed after %v; waiting does not mend it", took)
			}
		}
		baker.sees(t, baker)
	})
}

func TestASecretKeepsStrangersOut(t *testing.T) {
	const a, b = "0123456789abcdef", "fedcba9876543210"
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		with := func(key string) *automanaged.Provider {
			return automanaged.NewWith(automanaged.Config{Seeds: []string{seed(1)}, SecretKey: []byte(key), JoinTimeout: time.Second})
		}
		first := run(t, with(a), network.Host(host(1)), address(1))
		second := run(t, with(a), network.Host(host(2)), address(2))
		allSee(t, first, second)
		mentions(t, run(t, with(b), network.Host(host(3)), address(3)).failed(t), seed(1), "decrypt")
		mentions(t, run(t, with(""), network.Host(host(3)), address(3)).failed(t), seed(1), "encrypt")
		err := run(t, with(""), network.Host(host(3)), address(3), inCluster("bakery")).failed(t)
		mentions(t, err, seed(1), "hung up")
		allSee(t, first, second)
	})
}

func TestThePortIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		l, err := network.Host(host(1)).Listen(t.Context(), seed(1))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		bound := automanaged.NewWith(automanaged.Config{Bind: seed(1)})
		leased := automanaged.NewWithLease(func() string { return seed(1) })
		check := bound.Check(t.Context(), network.Host(host(1)))
		mentions(t, check, seed(1), "address already in use", "port 0 for any")
		for _, p := range []*automanaged.Provider{bound, leased} {
			err := run(t, p, network.Host(host(1)), address(1)).failed(t)
			mentions(t, err, seed(1), "address already in use", "port 0 for any")
			if _, ok := errors.AsType[*automanaged.BindError](err); !ok {
				t.Errorf("Run = %T, want a BindError", err)
			}
		}
	})
}

func TestNamesOutOfBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		for _, tt := range []struct {
			name   string
			option option
			want   string
		}{
			{"no cluster name", inCluster(""), "cluster's name"},
			{"long cluster name", inCluster(string(make([]byte, 300))), "cluster's name"},
			{"no id", withID(""), "id"},
			{"kind with a slash", hosting("a/b"), `kind "a/b"`},
		} {
			n := run(t, automanaged.New(seed(1)), network.Host(host(1)), address(1), tt.option)
			mentions(t, n.failed(t), tt.want)
		}
	})
}

func TestRunEndsWithItsContextWhateverItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		network.Crash(host(1))
		p := automanaged.New(seed(1))
		for _, o := range []option{func(*node) {}, asClient()} {
			n := run(t, p, network.Host(host(2)), address(2), o)
			testkit.Advance(time.Second)
			began := time.Now()
			n.leave(t)
			if took := time.Since(began); took > time.Second {
				t.Errorf("Run ended %v after its context, want a second", took)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Check(ctx, network.Host(host(2))); err == nil {
			t.Error("Check without time = nil, want an error")
		}
	})
}
