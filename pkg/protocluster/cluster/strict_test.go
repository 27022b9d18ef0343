package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// referee sees every message that an activation is given, and what is wrong with
// it: once an activation of an identity was given one, none of an older token may.
type referee struct {
	mu     sync.Mutex
	newest map[string]actor.Token
	kept   map[string]int // visits of the newest activation
	faults []string
}

func newReferee() *referee {
	return &referee{newest: map[string]actor.Token{}, kept: map[string]int{}}
}

func (r *referee) saw(id cluster.Identity, token actor.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch newest := r.newest[id.String()]; token.Compare(newest) {
	case -1:
		r.faults = append(r.faults, fmt.Sprintf("%s was given a message under token %v after one under %v", id, token, newest))
	case 1:
		r.newest[id.String()] = token
	}
}

// check fails the test for what the referee has seen.
func (r *referee) check(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fault := range r.faults {
		t.Error(fault)
	}
}

// visited is the answer of a virtual actor that counts visits.
type visited struct {
	address string
	visits  int
	token   actor.Token
}

// kind is one whose actors count their visits and tell the referee.
func (r *referee) kind(name string, opts ...cluster.KindOption) cluster.Kind {
	return cluster.NewKind(name, actor.PropsFromProducer(func() actor.Actor {
		visits := 0
		return actor.ReceiveFunc(func(ctx actor.Context) {
			id, _ := cluster.IdentityOf(ctx)
			if message, ok := ctx.Message().(string); ok {
				r.saw(id, ctx.Fence())
				visits++
				if message == "slow" {
					select {
					case <-time.After(2 * time.Second):
					case <-ctx.Done():
					}
				}
				ctx.Respond(fmt.Sprintf("%s %d %v", ctx.Self().Address, visits, ctx.Fence()))
			}
		})
	}), opts...)
}

// visit asks id and returns its answer.
func visit(t testing.TB, n *testkit.Node, id cluster.Identity) visited {
	t.Helper()
	return parseVisit(t, ask(t, n, id, "visit"))
}

func parseVisit(t testing.TB, reply any) (v visited) {
	t.Helper()
	if _, err := fmt.Sscanf(fmt.Sprint(reply), "%s %d %d.%d", &v.address, &v.visits, &v.token.Epoch, &v.token.Counter); err != nil {
		t.Fatalf("reply %v: %v", reply, err)
	}
	return v
}

func users(n int) (ids []cluster.Identity) {
	for i := range n {
		ids = append(ids, user(fmt.Sprint(i)))
	}
	return ids
}

// ownedBy returns those of ids that live at node i.
func ownedBy(t testing.TB, c *testkit.Cluster, i int, ids []cluster.Identity) (owned []cluster.Identity) {
	t.Helper()
	for _, id := range ids {
		if c.NodeOf(c.Nodes()[0], id) == i {
			owned = append(owned, id)
		}
	}
	return owned
}

func TestStrict_OneActivationForEverybody(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		for _, id := range users(20) {
			for i, n := range c.Nodes() {
				v := visit(t, n, id)
				if v.visits != i+1 || v.token.Epoch == 0 {
					t.Errorf("visit %d of %s = %+v, want one activation to count them, with a token", i+1, id, v)
				}
			}
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_CrashIsSurvivedAfterTheLease(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := users(60)
		lost := ownedBy(t, c, 2, ids)
		before := visit(t, c.Node(0), lost[0])
		begin := time.Now()
		c.Crash(2)
		for _, id := range ids {
			reply, err := c.Node(1).Request(within(t, 10*time.Second), id, "visit", cluster.Idempotent())
			if err != nil {
				t.Fatalf("Request(%s) after the crash: %v", id, err)
			}
			if v := parseVisit(t, reply); v.address == testkit.NodeAddress(2) {
				t.Errorf("%s answers from the crashed member", id)
			}
		}
		took := time.Since(begin)
		if took < 700*time.Millisecond || took > 1600*time.Millisecond {
			t.Errorf("all answer again after %v, want a lease of 1s and little more", took)
		}
		if after := visit(t, c.Node(0), lost[0]); after.token.Compare(before.token) <= 0 {
			t.Errorf("the token of %s went from %v to %v, want it to grow", lost[0], before.token, after.token)
		}
		c.AwaitMembers(2)
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_ShortCutKeepsTheState(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		id := ownedBy(t, c, 2, users(60))[0]
		before := visit(t, c.Node(0), id)
		c.Pause(2)
		testkit.Advance(400 * time.Millisecond)
		c.Resume(2)
		after := visit(t, c.Node(0), id)
		if after.token != before.token || after.visits != before.visits+1 {
			t.Errorf("a cut of 400ms changed %+v to %+v, want the same activation", before, after)
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_WhoWasEvictedComesBackAsAnother(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := users(60)
		id := ownedBy(t, c, 2, ids)[0]
		before := visit(t, c.Node(2), id)
		old := c.Node(2).View()
		c.Pause(2)
		testkit.Advance(1100 * time.Millisecond) // more than a lease
		late := make(chan error, 1)
		ctx := within(t, 2*time.Second)
		go func() { _, err := c.Node(2).Request(ctx, id, "visit"); late <- err }()
		testkit.Advance(10 * time.Second)
		if err := <-late; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request on the member that is cut off = %v, want no answer in time", err)
		}
		elsewhere := visit(t, c.Node(0), id)
		if elsewhere.address == before.address || elsewhere.visits != 1 {
			t.Errorf("%s answers %+v while its member is cut off, want a new activation elsewhere", id, elsewhere)
		}
		c.Resume(2)
		testkit.Advance(3 * time.Second)
		c.AwaitMembers(3)
		now, ok := c.Node(2).View().At(testkit.NodeAddress(2))
		if was, _ := old.At(testkit.NodeAddress(2)); !ok || now.ID == was.ID {
			t.Errorf("the member came back as %q, want a new id", now.ID)
		}
		for _, id := range ids {
			visit(t, c.Node(2), id)
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_JoinAndLeaveHandOverAtOnce(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		ids := users(100)
		for _, id := range ids {
			visit(t, c.Node(0), id)
		}
		c.Add()
		c.AwaitMembers(3)
		begin, moved := time.Now(), 0
		for _, id := range ids {
			v := visit(t, c.Node(0), id)
			if v.address == testkit.NodeAddress(2) {
				moved++
			} else if v.visits != 2 {
				t.Errorf("%s stayed and was activated anew", id)
			}
		}
		if took := time.Since(begin); moved < 15 || took > time.Second {
			t.Errorf("%d of 100 moved to the joiner, within %v; want about a third, without a wait for leases", moved, took)
		}
		begin = time.Now()
		c.Leave(2)
		for _, id := range ids {
			visit(t, c.Node(0), id)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("after a leave all answer within %v, want no wait for leases", took)
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_WeightsShareOutIdentities(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		c.Add(cluster.WithWeight(4))
		c.AwaitMembers(3)
		hosts := map[string]int{}
		for _, id := range users(300) {
			hosts[visit(t, c.Node(0), id).address]++
		}
		if heavy := hosts[testkit.NodeAddress(2)]; heavy < 170 || heavy > 230 {
			t.Errorf("the member of weight 4 beside two of weight 1 hosts %d of 300, want about 200", heavy)
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_NoAnswerWithoutALease(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		id := ownedBy(t, c, 2, users(60))[0]
		answers := make(chan error, 1)
		ctx := within(t, 30*time.Second)
		go func() { _, err := c.Node(2).Request(ctx, id, "slow"); answers <- err }()
		testkit.Advance(100 * time.Millisecond)
		c.Pause(2) // the handler goes on, and ends after the lease
		testkit.Advance(5 * time.Second)
		select {
		case err := <-answers:
			t.Errorf("a member without a lease answered its own request: %v", err)
		default:
		}
		c.Resume(2)
		testkit.Advance(5 * time.Second)
		select {
		case err := <-answers:
			if err == nil || errors.Is(err, actor.ErrNotDelivered) {
				t.Errorf("a request whose answer was dropped = %v, want an unknown outcome", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("a request whose answer was dropped has no outcome after its deadline")
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

// A reply that was given under a lease, and arrives when the caller goes by a
// view without its author, is not taken for an answer.
func TestStrict_LateReplyOfAnEvictedMemberIsNoAnswer(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		id := ownedBy(t, c, 2, users(60))[0]
		visit(t, c.Node(0), id)
		for _, host := range []string{"10.0.0.1", "10.0.0.2"} {
			c.Network.Shape(testkit.Link{Latency: 4 * time.Second}, testkit.Route{From: "10.0.0.3", To: host})
		}
		begin := time.Now()
		reply, err := c.Node(0).Request(within(t, time.Minute), id, "visit")
		if !errors.Is(err, actor.ErrUnknownOutcome) || time.Since(begin) > 3*time.Second {
			t.Errorf("Request = %v, %v after %v; want an unknown outcome once the member has left the view", reply, err, time.Since(begin))
		}
		if again := visit(t, c.Node(0), id); again.address == testkit.NodeAddress(2) {
			t.Errorf("%s still answers from the evicted member", id)
		}
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

func TestStrict_EventualKindsNeedNoLease(t *testing.T) {
	r, l := newReferee(), newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		var id cluster.Identity
		for i := 0; ; i++ {
			id = cluster.Identity{Kind: "page", Identity: fmt.Sprint(i)}
			if c.NodeOf(c.Node(2), id) == 2 {
				break
			}
		}
		c.Pause(2)
		testkit.Advance(2 * time.Second)
		if got := ask(t, c.Node(2), id, "where"); got != testkit.NodeAddress(2) {
			t.Errorf("an eventual kind answers %v on the member that is cut off, want it to go on there", got)
		}
		c.Resume(2)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user"), l.kind("page", cluster.Eventual())))
}

func TestStrict_IsRefusedWhereItCannotBeKept(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 0, func(t *testing.T, c *testkit.Cluster) {
		n := c.New(cluster.WithKinds(r.kind("user", cluster.Strict())))
		err := n.Join(within(t, time.Minute))
		if err == nil || !strings.Contains(err.Error(), `"user"`) || !strings.Contains(err.Error(), "partition.New()") {
			t.Errorf("Join with a strict kind and disthash = %v, want an error that names the kind and partition", err)
		}
	})
	testkit.Run(t, 0, func(t *testing.T, c *testkit.Cluster) {
		n := c.New(func(config *cluster.Config) { config.Provider = onlyObserves{config.Provider} })
		err := n.Join(within(t, time.Minute))
		if err == nil || !strings.Contains(err.Error(), "consul.New()") {
			t.Errorf("Join with partition and a provider that only observes = %v, want an error that names a view store", err)
		}
	}, testkit.WithLookup(partition.New()))
}

// onlyObserves hides that a provider is a view store.
type onlyObserves struct{ cluster.Provider }
