package automanaged_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// address is where the remote of node i would listen.
func address(i int) string { return fmt.Sprintf("10.0.0.%d:8090", i) }

func host(i int) string { return fmt.Sprintf("10.0.0.%d", i) }

func seed(i int) string { return fmt.Sprintf("10.0.0.%d:6330", i) }

// start runs nodes 1 to n, at hosts of their own, with the given seeds.
func start(t testing.TB, network *testkit.Network, n int, seeds ...string) []*node {
	t.Helper()
	var nodes []*node
	for i := 1; i <= n; i++ {
		nodes = append(nodes, run(t, automanaged.New(seeds...), network.Host(host(i)), address(i)))
	}
	return nodes
}

func TestNodesThatStartAtOnceFindEachOther(t *testing.T) {
	for _, tt := range []struct {
		name  string
		seeds []string
	}{
		{"one seed", []string{seed(1)}},
		{"two seeds", []string{seed(2), seed(1)}},
		{"three seeds", []string{seed(1), seed(2), seed(3)}},
		{"a seed that never starts", []string{seed(9), seed(2)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				allSee(t, start(t, testkit.NewNetwork(), 3, tt.seeds...)...)
			})
		})
	}
}

func TestOneHostSharesTheSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		laptop := testkit.NewNetwork().Host("127.0.0.1")
		provider := automanaged.New()
		var nodes []*node
		for i := range 3 {
			nodes = append(nodes, run(t, provider, laptop, fmt.Sprintf("127.0.0.1:%d", 8090+i)))
		}
		allSee(t, nodes...)
	})
}

func TestNodesOfOneLeaseFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		laptop := testkit.NewNetwork().Host("127.0.0.1")
		provider := automanaged.NewWithLease(func() string { return "127.0.0.1:0" })
		a := run(t, provider, laptop, "127.0.0.1:8091")
		b := run(t, provider, laptop, "127.0.0.1:8092")
		other := run(t, provider, laptop, "127.0.0.1:8093", inCluster("bakery"))
		client := run(t, provider, laptop, "", asClient())
		allSee(t, a, b)
		client.sees(t, a, b)
		other.sees(t, other)
	})
}

func TestFirstReportIsTheNodeItselfAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, testkit.NewNetwork(), 1, seed(1))[0]
		n.sees(t, n)
		if _, reports := n.view(); reports != 1 {
			t.Errorf("%d reports, want 1", reports)
		}
	})
}

func TestFirstReportOfAJoinIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 5, seed(1))
		allSee(t, nodes...)
		late := run(t, automanaged.New(seed(1)), network.Host(host(6)), address(6))
		late.until(t, "a first report", func(members []cluster.Member) bool { return true })
		if members, _ := late.view(); len(members) != 6 {
			t.Errorf("first view = %v, want six members", members)
		}
	})
}

func TestABurstOfJoinsIsFewReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := start(t, testkit.NewNetwork(), 20, seed(1))
		allSee(t, nodes...)
		for _, n := range nodes {
			if _, reports := n.view(); reports > 8 {
				t.Errorf("%d reports of 20 members that came at once, want at most 8", reports)
			}
		}
	})
}

func TestAChangeOfStatusIsSeenByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := start(t, testkit.NewNetwork(), 3, seed(1))
		allSee(t, nodes...)
		for _, status := range []cluster.Status{cluster.Up, cluster.Leaving} {
			nodes[1].become(func(m *cluster.Member) { m.Status = status })
			began := time.Now()
			allSee(t, nodes...)
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("%v was known everywhere after %v, want 500ms", status, took)
			}
		}
	})
}

func TestANodeThatLeavesIsGoneWhenRunReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := start(t, testkit.NewNetwork(), 3, seed(1))
		allSee(t, nodes...)
		began := time.Now()
		nodes[0].leave(t)
		allSee(t, nodes[1:]...)
		if took := time.Since(began); took > time.Second {
			t.Errorf("leaving took %v, want a second", took)
		}
	})
}

func TestACrashedNodeIsDropped(t *testing.T) {
	for _, members := range []int{2, 3, 5, 12} {
		t.Run(fmt.Sprint(members, " members"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := testkit.NewNetwork()
				nodes := start(t, network, members, seed(1), seed(2))
				allSee(t, nodes...)
				began := time.Now()
				network.Kill(host(members))
				allSee(t, nodes[:members-1]...)
				if took := time.Since(began); took < 750*time.Millisecond || took > 2500*time.Millisecond {
					t.Errorf("dropped after %v, want 0.75 to 2.5s", took)
				}
			})
		})
	}
}

func TestARestartReplacesTheNodeAtItsAddressAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 3, seed(1), seed(2), seed(3))
		allSee(t, nodes...)
		for _, i := range []int{3, 1} {
			testkit.Advance(time.Second)
			network.Kill(host(i))
			began := time.Now()
			nodes[i-1] = run(t, automanaged.New(seed(1), seed(2), seed(3)), network.Host(host(i)), address(i))
			allSee(t, nodes...)
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("node %d was replaced after %v, want 500ms", i, took)
			}
			testkit.Advance(10 * time.Second)
			allSee(t, nodes...)
		}
	})
}

func TestAShortCutLosesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 3, seed(1))
		allSee(t, nodes...)
		_, before := nodes[0].view()
		network.Isolate(host(2))
		testkit.Advance(600 * time.Millisecond)
		network.HealAll()
		testkit.Advance(10 * time.Second)
		allSee(t, nodes...)
		if _, after := nodes[0].view(); after != before {
			t.Errorf("%d reports since the cut, want none", after-before)
		}
	})
}

func TestAPausedNodeIsDroppedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 4, seed(1))
		allSee(t, nodes...)
		for _, i := range []int{1, 4} {
			network.Pause(host(i))
			for j, n := range nodes {
				if j+1 != i {
					n.sees(t, slices.Concat(nodes[:i-1], nodes[i:])...)
				}
			}
			testkit.Advance(30 * time.Second)
			network.Resume(host(i))
			began := time.Now()
			allSee(t, nodes...)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("node %d was back after %v, want 10s", i, took)
			}
		}
	})
}

func TestTheLatestAtAnAddressCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		log := &lines{Handler: slog.DiscardHandler}
		witness := run(t, automanaged.New(seed(1)), network.Host(host(1)), address(1), logTo(log))
		early := run(t, automanaged.New(seed(1)), network.Host(host(2)), address(9)) // as behind NAT
		allSee(t, witness, early)
		testkit.Advance(time.Second)
		late := run(t, automanaged.New(seed(1)), network.Host(host(3)), address(9))
		witness.sees(t, witness, late)
		late.sees(t, witness, late)
		early.sees(t, witness, early)
		late.leave(t)
		witness.sees(t, witness, early)
		if got := log.count("started later at the same address " + address(9)); got != 1 {
			t.Errorf("%d lines about the address, want 1", got)
		}
	})
}

func TestHalvesThatWereCutApartFindEachOtherAgain(t *testing.T) {
	for _, tt := range []struct {
		name        string
		left, right []int
		cut         time.Duration
	}{
		{"the only seed alone", []int{1}, []int{2, 3, 4}, time.Minute},
		{"the seed with another", []int{1, 2}, []int{3, 4}, 5 * time.Minute},
		{"one that is no seed", []int{1, 2, 3}, []int{4}, 10 * time.Minute},
	} {
		if testing.Short() {
			tt.cut /= 5
		}
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := testkit.NewNetwork()
				nodes := start(t, network, 4, seed(1))
				allSee(t, nodes...)
				for _, a := range tt.left {
					for _, b := range tt.right {
						network.Partition(host(a), host(b))
					}
				}
				for _, side := range [][]int{tt.left, tt.right} {
					var half []*node
					for _, i := range side {
						half = append(half, nodes[i-1])
					}
					allSee(t, half...)
				}
				testkit.Advance(tt.cut)
				network.HealAll()
				began := time.Now()
				allSee(t, nodes...)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("together again after %v, want 5s", took)
				}
			})
		})
	}
}

func TestHalvesThatStartedApartFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		network.Partition(host(1), host(2))
		nodes := start(t, network, 2, seed(1), seed(2))
		for _, n := range nodes {
			n.sees(t, n)
		}
		network.HealAll()
		allSee(t, nodes...)
	})
}

func TestLongListsOfKindsTravel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 3, seed(1))
		allSee(t, nodes...)
		var many []string
		for i := range 200 {
			many = append(many, fmt.Sprintf("kind-%03d-%s", i, strings.Repeat("<é>", 30)))
		}
		long := run(t, automanaged.New(seed(1)), network.Host(host(4)), address(4), hosting(many...))
		late := run(t, automanaged.New(seed(1)), network.Host(host(5)), address(5), hosting(many[:100]...))
		nodes = append(nodes, long, late)
		allSee(t, nodes...)
		long.become(func(m *cluster.Member) { m.Kinds = many[50:] })
		late.become(func(m *cluster.Member) { m.Kinds = nil })
		allSee(t, nodes...)
	})
}

func TestTooManyKindsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []string
		for i := range 300 {
			many = append(many, fmt.Sprint(i, strings.Repeat("x", 240)))
		}
		n := run(t, automanaged.New(seed(1)), testkit.NewNetwork().Host(host(1)), address(1), hosting(many...))
		mentions(t, n.failed(t), "cannot be announced", "300 kinds", "65536")
	})
}

func TestClientsSeeAndAreNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 2, seed(1))
		allSee(t, nodes...)
		_, before := nodes[0].view()
		client := run(t, automanaged.New(seed(1)), network.Host(host(7)), "client-7", asClient())
		client.sees(t, nodes...)
		testkit.Advance(5 * time.Second)
		if members, after := nodes[0].view(); after != before {
			t.Errorf("view with a client = %v, want no report of it", members)
		}
		network.Kill(host(2))
		client.sees(t, nodes[0])
	})
}

func TestAClientOnASeedsHostDoesNotTakeTheSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		client := run(t, automanaged.New(seed(1)), network.Host(host(1)), "client", asClient())
		testkit.Advance(time.Second)
		member := run(t, automanaged.New(seed(1)), network.Host(host(1)), address(1))
		client.sees(t, member)
	})
}

func TestAnIsolatedNodeLeavesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		nodes := start(t, network, 3, seed(1))
		allSee(t, nodes...)
		network.Isolate(host(3))
		testkit.Advance(700 * time.Millisecond)
		began := time.Now()
		nodes[2].leave(t)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("leaving took %v, want 3s", took)
		}
	})
}
