package assembled_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	state "github.com/protocluster/workshop/chapters/chapter4/10_state"
	assembled "github.com/protocluster/workshop/chapters/chapter4/11_lab"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

const (
	term = time.Second     // of a lease
	ttl  = 3 * time.Second // after which a silent member is dropped from the view
)

// ready ends the story unless everything that it needs is written.
func ready(s *story.Story, stretches ...string) {
	s.Need(assembled.Ready(stretches...), story.Failure{Happened: "The lookup is not complete.", Lesson: "Solve the exercises one after another."})
}

func TestAssembled_KeepsWhatALookupPromises(t *testing.T) {
	ready(story.Begin(t, "Your code passes the conformance suite of the library's own lookups."))
	testkit.TestLookup(t, func(testing.TB) cluster.IdentityLookup { return assembled.New() })
}

// referee counts the activations that live at the same time.
type referee struct {
	mu     sync.Mutex
	lives  map[cluster.Identity]map[string]bool // on which addresses
	most   int
	doubly string // the first identity that lived twice at a time, and where
	starts map[cluster.Identity]int
}

func newReferee() *referee {
	return &referee{lives: make(map[cluster.Identity]map[string]bool), starts: make(map[cluster.Identity]int)}
}

// kind is that of actors that answer with their address.
func (r *referee) kind() cluster.Kind {
	return cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		id, _ := cluster.IdentityOf(ctx)
		switch ctx.Message().(type) {
		case *actor.Started:
			r.begins(id, ctx.Self().Address)
		case *actor.Stopped:
			r.ends(id, ctx.Self().Address)
		case string:
			ctx.Respond(ctx.Self().Address)
		}
	}))
}

func (r *referee) begins(id cluster.Identity, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[id]++
	if r.lives[id] == nil {
		r.lives[id] = make(map[string]bool)
	}
	r.lives[id][address] = true
	if n := len(r.lives[id]); n > r.most {
		r.most = n
		r.doubly = fmt.Sprint(id, " on ", slices.Sorted(maps.Keys(r.lives[id])))
	}
}

func (r *referee) ends(id cluster.Identity, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lives[id], address)
}

// killed has nothing live on a node any more.
func (r *referee) killed(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, lives := range r.lives {
		delete(lives, address)
	}
}

// on counts what lives on a node.
func (r *referee) on(address string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, lives := range r.lives {
		if lives[address] {
			n++
		}
	}
	return n
}

// once ends the story if anything lived twice at a time.
func (r *referee) once(s *story.Story) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.most > 1 {
		s.Fatal(story.Failure{
			Happened: "An identity was active on two members at the same time.", Got: r.doubly, Want: "one member",
			Lesson: "Exercises 4.6 and 4.9 keep two owners apart. Which of them let the second one in?", Read: "what-to-expect",
		})
	}
}

// settle lets the electors of exercise 4.9 become those of the whole cluster. Until
// the ones before have agreed, they are those whom a member found when it joined;
// and of two, nobody may be lost.
func settle() { testkit.Advance(2 * term) }

func user(n int) cluster.Identity { return cluster.Identity{Kind: "user", Identity: fmt.Sprint(n)} }

// ask asks 30 users from a node, each for as long as that may take, and returns
// how many live where.
func ask(t *testing.T, s *story.Story, from *testkit.Node, patience time.Duration) map[string]int {
	homes := map[string]int{}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for n := range 30 {
		home, err := cluster.Request[string](ctx, from.Cluster, user(n), "where", cluster.Idempotent())
		if err != nil {
			s.Fatal(story.Failure{
				Happened: fmt.Sprintf("%s did not answer within %v.", user(n), patience), Got: err, Want: "an answer, from wherever it lives",
				Lesson: "A caller that has patience gets its answer. Which exercise refuses, or waits for ever?", Read: "what-to-expect",
			})
		}
		homes[home]++
	}
	return homes
}

func TestAssembled_AKilledMemberIsReplaced(t *testing.T) {
	story.Bubble(t, "What lived on a killed member is reachable again once its lease is over, and never lives twice.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s)
		r := newReferee()
		c := testkit.NewCluster(t, 3, testkit.WithLookup(assembled.New()), testkit.WithKinds(r.kind()), testkit.WithTTL(ttl))
		defer c.Close()
		settle()
		victim := testkit.NodeAddress(2)
		if homes := ask(t, s, c.Node(0), time.Minute); homes[victim] == 0 {
			s.Fatal(story.Failure{Happened: "None of 30 users lives on the third of three members.", Got: homes, Want: "about ten on each", Lesson: "Placement spreads them.", Read: "what-to-expect"})
		}
		s.Note("n3", "is killed")
		c.Kill(2)
		r.killed(victim)
		if homes := ask(t, s, c.Node(0), ttl+4*term); homes[victim] > 0 {
			s.Fatal(story.Failure{Happened: "A killed member answers.", Got: homes, Want: "two homes", Lesson: "Whose PID was not forgotten?", Read: "what-to-expect"})
		}
		s.Note("n1", "reaches everybody")
		r.once(s)
	})
}

func TestAssembled_LeavesPolitely(t *testing.T) {
	story.Bubble(t, "In a rolling restart of three members no request fails.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s)
		r := newReferee()
		c := testkit.NewCluster(t, 3, testkit.WithLookup(assembled.New()), testkit.WithKinds(r.kind()), testkit.WithTTL(ttl))
		defer c.Close()
		client := c.AddClient()
		ask(t, s, client, time.Minute)
		for n := range 3 {
			c.Add()
			c.Leave(n)
			s.Note("", "node %d was replaced", n+1)
			ask(t, s, client, 5*time.Second)
		}
		for n := range 3 {
			if left := r.on(testkit.NodeAddress(n)); left > 0 {
				s.Fatal(story.Failure{Happened: "A member left, and something lives there.", Got: left, Want: 0, Lesson: "Draining ends when everything has stopped.", Read: "what-to-expect"})
			}
		}
	})
}

func TestAssembled_TheIdleAreEvicted(t *testing.T) {
	story.Bubble(t, "What nobody uses is evicted, and is there again when somebody does.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s)
		r := newReferee()
		lookup := assembled.NewWith(assembled.Config{Eviction: eviction.Policy{Idle: 10 * time.Second, Sweep: time.Second}})
		c := testkit.NewCluster(t, 3, testkit.WithLookup(lookup), testkit.WithKinds(lookup.Kind(r.kind())))
		defer c.Close()
		ask(t, s, c.Node(0), time.Minute)
		testkit.Advance(12 * time.Second)
		for n := range 3 {
			if living := r.on(testkit.NodeAddress(n)); living > 0 {
				s.Fatal(story.Failure{Happened: fmt.Sprintf("Nobody asked for 12 s, and node %d still has activations.", n+1), Got: living, Want: 0,
					Lesson: "The policy says 10 s, and a sweep each second.", Read: "what-to-expect"})
			}
		}
		s.Note("", "all users were evicted")
		ask(t, s, c.Node(1), time.Minute)
		r.once(s)
	})
}

func TestAssembled_AMinorityIsQuiet(t *testing.T) {
	if assembled.Ready() == nil && assembled.Ready("4.9") != nil {
		t.Skip("it needs 4.9, which is a stretch")
	}
	story.Bubble(t, "A member that is cut off stops what it hosts before the others start it.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s, "4.9")
		r := newReferee()
		c := testkit.NewCluster(t, 3, testkit.WithLookup(assembled.New()), testkit.WithKinds(r.kind()), testkit.WithTTL(ttl))
		defer c.Close()
		settle()
		ask(t, s, c.Node(0), time.Minute)
		s.Note("n3", "is cut off")
		c.Pause(2)
		testkit.Advance(2 * term)
		if living := r.on(testkit.NodeAddress(2)); living > 0 {
			s.Fatal(story.Failure{Happened: "A member was cut off for two terms, and has not stopped what it hosts.", Got: living, Want: 0,
				Lesson: "Its lease is over, and the others will not wait for longer.", Read: "what-to-expect"})
		}
		ask(t, s, c.Node(0), ttl+4*term)
		s.Note("n1", "reaches everybody")
		r.once(s)
		c.Resume(2)
		c.AwaitMembers(3)
		ask(t, s, c.Node(2), 10*time.Second)
		s.Note("n3", "is back, and reaches everybody")
	})
}

func TestAssembled_WhoComesBackVotesUnderItsNewName(t *testing.T) {
	if assembled.Ready() == nil && assembled.Ready("4.9") != nil {
		t.Skip("it needs 4.9, which is a stretch")
	}
	story.Bubble(t, "A member that was dropped and came back as another keeps its lease by one of two others.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s, "4.9")
		r := newReferee()
		store := testkit.NewViewStore() // whose views drop a member for good: it comes back under another ID
		sealed := testkit.WithConfig(func(node int, c *cluster.Config) *cluster.Config {
			adapted := *c
			adapted.Provider = store.For(fmt.Sprint(node))
			return &adapted
		})
		c := testkit.NewCluster(t, 3, testkit.WithLookup(assembled.New()), testkit.WithKinds(r.kind()), sealed)
		defer c.Close()
		settle()
		ask(t, s, c.Node(0), time.Minute)
		s.Note("n3", "is paused")
		c.Pause(2)
		testkit.Advance(ttl + 2*term)
		c.Resume(2)
		c.AwaitMembers(3)
		s.Note("n3", "is back")
		if homes := ask(t, s, c.Node(1), 10*time.Second); homes[testkit.NodeAddress(2)] == 0 {
			s.Fatal(story.Failure{Happened: "Nothing lives on a member that came back.", Got: homes, Want: "about ten on each", Lesson: "Placement spreads them.", Read: "what-to-expect"})
		}
		s.Note("n3", "is cut from n1, and hears n2")
		c.Partition(0, 2)
		testkit.Advance(3 * term)
		ask(t, s, c.Node(1), term)
		s.Note("n2", "reaches everybody")
		r.once(s)
	})
}

// vault is a state.Store that all members share.
type vault struct {
	mu    sync.Mutex
	saved map[cluster.Identity]state.Snapshot
}

func (v *vault) Load(_ context.Context, id cluster.Identity) (state.Snapshot, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.saved[id], nil
}

func (v *vault) Save(_ context.Context, id cluster.Identity, s state.Snapshot) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s.Version != v.saved[id].Version+1 {
		return state.ErrStale
	}
	v.saved[id] = s
	return nil
}

func TestAssembled_NoAcknowledgedDepositIsLost(t *testing.T) {
	if assembled.Ready() == nil && assembled.Ready("4.10") != nil {
		t.Skip("it needs 4.10, which is a stretch")
	}
	story.Bubble(t, "A deposit that was acknowledged is in the account, whoever is killed.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		ready(s, "4.10")
		kind := assembled.Account(&vault{saved: make(map[cluster.Identity]state.Snapshot)})
		typed := testkit.WithConfig(func(_ int, c *cluster.Config) *cluster.Config {
			adapted := *c
			adapted.Remote = c.Remote.With(remote.WithTypes(&state.Deposit{}, &state.Balance{}))
			return &adapted
		})
		c := testkit.NewCluster(t, 3, testkit.WithLookup(assembled.New()), testkit.WithKinds(kind), testkit.WithTTL(ttl), typed)
		defer c.Close()
		settle()
		id := kind.ID("savings")
		home := c.NodeOf(c.Node(0), id)
		from := c.Node((home + 1) % 3)
		for n := 1; n <= 20; n++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			// The same request again, if nobody knows what became of it.
			got, err := cluster.Request[*state.Balance](ctx, from.Cluster, id, &state.Deposit{Request: fmt.Sprint("r", n), Amount: 1}, cluster.Idempotent())
			cancel()
			if err != nil || got.Amount != int64(n) {
				s.Fatal(story.Failure{Happened: fmt.Sprintf("Deposit %d of 1 was not added to what was acknowledged before.", n), Got: fmt.Sprint(got, ", ", err), Want: fmt.Sprint(n),
					Lesson: "Save first, then answer. Load before you answer anything.", Read: "what-to-expect"})
			}
			if n == 10 {
				s.Note("", "the home of the account is killed")
				c.Kill(home)
			}
		}
	})
}
