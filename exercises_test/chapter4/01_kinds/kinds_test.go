package kinds_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	kinds "github.com/protocluster/workshop/chapters/chapter4/01_kinds"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// kind returns a kind that is told from others by its props.
func kind(name string) cluster.Kind {
	return cluster.NewKind(name, actor.PropsFromFunc(func(actor.Context) {}))
}

// register notes and requires that r takes k.
func register(s *story.Story, r *kinds.Registry, k cluster.Kind) {
	s.Need(s.Did(fmt.Sprintf("Register(%q)", k.Name), r.Register(k)), story.Failure{
		Happened: fmt.Sprintf("Register refused %q, which is a good name that nobody had registered.", k.Name),
		Lesson:   "Refuse only what has no name, what has a slash in it, and what is there already.",
		Read:     "what-to-write",
	})
}

func TestRegister_AKindIsFound(t *testing.T) {
	s := story.Begin(t, "A member finds each kind that it registered, and no other.")
	r := kinds.New()
	user, order := kind("user"), kind("order")
	register(s, r, user)
	register(s, r, order)
	for _, want := range []cluster.Kind{user, order} {
		if got, ok := r.Lookup(want.Name); !ok || got.Name != want.Name || got.Props != want.Props {
			s.Fatal(story.Failure{
				Happened: fmt.Sprintf("Lookup(%q) did not return what was registered under that name.", want.Name),
				Got:      fmt.Sprintf("%q, %v", got.Name, ok), Want: fmt.Sprintf("%q with its own props, true", want.Name),
				Lesson: "The cluster starts an actor from what Lookup returns: name, props and all.",
				Read:   "what-to-write",
			})
		}
	}
	if got, ok := r.Lookup("sensor"); ok || got.Name != "" {
		s.Fatal(story.Failure{
			Happened: `Lookup("sensor") found a kind that nobody registered.`,
			Got:      fmt.Sprintf("%q, %v", got.Name, ok), Want: `"", false`,
			Lesson: "A member that answers for what it did not promise is asked to host it.",
			Read:   "what-to-write",
		})
	}
}

func TestRegister_TheFirstStays(t *testing.T) {
	s := story.Begin(t, "A kind that is registered twice keeps what came first, and the second is told.")
	r := kinds.New()
	first, second := kind("user"), kind("user")
	register(s, r, first)
	err := s.Did(`Register("user") with other props`, r.Register(second))
	got, _ := r.Lookup("user")
	if err == nil || got.Props != first.Props {
		which := map[*actor.Props]string{first.Props: "the first", second.Props: "the second"}[got.Props]
		s.Fatal(story.Failure{
			Misconception: "last-one-wins",
			Happened:      `The kind "user" was registered a second time, with other props.`,
			Got:           fmt.Sprintf("error %v, and Lookup returns %s", err, which), Want: "an error, and Lookup returns the first",
			Lesson: "Actors made from the first may be running. Half of the users in the old code and half in the new one is a fault that nobody sees.",
			Read:   "twice",
		})
	}
}

func TestRegister_RefusesWhatIsNoName(t *testing.T) {
	s := story.Begin(t, "A kind has a name of one segment.")
	r := kinds.New()
	register(s, r, kind("user"))
	for _, name := range []string{"", "shop/user", "/", "user/"} {
		if err := s.Did(fmt.Sprintf("Register(%q)", name), r.Register(kind(name))); err == nil {
			s.Fatal(story.Failure{
				Misconception: "any-name-will-do",
				Happened:      fmt.Sprintf("Register took %q as the name of a kind.", name),
				Got:           "no error", Want: "an error that says what is wrong with the name",
				Lesson: `An identity is written kind/identity. Is "shop/user/1" the user/1 of kind shop, or the 1 of kind shop/user?`,
				Read:   "names",
			})
		}
	}
}

func TestKinds_IsASortedCopy(t *testing.T) {
	s := story.Begin(t, "Kinds returns the names, sorted, and the registry does not change with what the caller does to them.")
	r := kinds.New()
	want := []string{"cart", "order", "sensor", "user"}
	for _, name := range []string{"order", "user", "cart", "sensor"} {
		register(s, r, kind(name))
	}
	names := r.Kinds()
	if !slices.Equal(names, want) {
		s.Fatal(story.Failure{
			Happened: "Kinds is not the sorted list of what was registered.", Got: names, Want: want,
			Lesson: "Members compare what they promise. A list whose order changes looks like a change of the promise.",
			Read:   "kinds-is-a-copy",
		})
	}
	names[0] = "stolen"
	_ = append(names[:1], "and", "more")
	s.Note("", `the caller writes "stolen" into what Kinds returned`)
	if got := r.Kinds(); !slices.Equal(got, want) {
		s.Fatal(story.Failure{
			Misconception: "returns-its-own-slice",
			Happened:      "A caller changed the registry through what Kinds had returned.", Got: got, Want: want,
			Lesson: "What you return by reference, you share. With goroutines that is also a data race.",
			Read:   "kinds-is-a-copy",
		})
	}
}

func TestRegistry_BelongsToOneMember(t *testing.T) {
	s := story.Begin(t, "Two members in one process have two registries.")
	n1, n2 := kinds.New(), kinds.New()
	register(s, n1, kind("private")) // a name of no other test
	_, found := n2.Lookup("private")
	err := s.Did(`another member: Register("private")`, n2.Register(kind("private")))
	if found || err != nil || len(n2.Kinds()) != 1 {
		s.Fatal(story.Failure{
			Misconception: "one-registry-for-all",
			Happened:      "What one member registered showed up in another.",
			Got:           fmt.Sprintf("the second finds it: %v; may register its own: %v", found, err), Want: "false; nil",
			Lesson: "A test starts three members in one process. Each promises for itself, so the state belongs to the value, not to the package.",
			Read:   "one-for-each-member",
		})
	}
}

func TestRegistry_ConcurrentUse(t *testing.T) {
	story.Bubble(t, "Of many that register one name at the same time, exactly one succeeds.", func(_ *testing.T, s *story.Story) {
		register(s, kinds.New(), kind("user"))
		for round := range 50 {
			r := kinds.New()
			var wins sync.Map
			var callers sync.WaitGroup
			for caller := range 8 {
				callers.Go(func() {
					if caller%2 == 0 { // first thing, before a lock puts it after another's Register
						_ = r.Kinds()
					} else {
						_, _ = r.Lookup("user")
					}
					if k := kind("user"); r.Register(k) == nil {
						wins.Store(caller, k.Props)
					}
				})
			}
			callers.Wait()
			var winners []*actor.Props
			wins.Range(func(_, props any) bool { winners = append(winners, props.(*actor.Props)); return true })
			if got, _ := r.Lookup("user"); len(winners) != 1 || got.Props != winners[0] {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("Eight goroutines registered one name, in round %d.", round),
					Got:      fmt.Sprint(len(winners), " were told that they succeeded"), Want: "1, and Lookup returns what it registered",
					Lesson: "Looking and writing have to be one step. A lock around each of them is two.",
					Read:   "at-the-same-time",
				})
			}
		}
	})
}

func TestHosts_OnlyWhoPromisedIsChosen(t *testing.T) {
	s := story.Begin(t, "Only a member that is up and promised a kind is chosen to host it.")
	user, both := kinds.New(), kinds.New()
	register(s, user, kind("user"))
	register(s, both, kind("user"))
	register(s, both, kind("order"))
	members := []cluster.Member{
		{ID: "n4", Kinds: both.Kinds(), Status: cluster.Up},
		{ID: "n1", Kinds: user.Kinds(), Status: cluster.Up},
		{ID: "n2", Kinds: both.Kinds(), Status: cluster.Up},
		{ID: "n3", Kinds: both.Kinds(), Status: cluster.Joining},
		{ID: "n5", Kinds: both.Kinds(), Status: cluster.Leaving},
		{ID: "n6", Kinds: both.Kinds(), Status: cluster.Down},
		{ID: "n7", Status: cluster.Up},
	}
	for kind, want := range map[string]string{"user": "[n4 n1 n2]", "order": "[n4 n2]", "sensor": "[]"} {
		if got := ids(kinds.Hosts(members, kind)); got != want {
			s.Fatal(story.Failure{
				Misconception: "any-member-will-do",
				Happened:      fmt.Sprintf("Hosts chose the wrong members for %q out of n1 to n7; only n1, n2, n4 and n7 are up, and n7 hosts nothing.", kind),
				Got:           got, Want: want,
				Lesson: "Whoever joins is not ready yet, and whoever leaves must get nothing new. Whoever did not promise cannot start the actor.",
				Read:   "whom-to-choose",
			})
		}
	}
}

func ids(members []cluster.Member) string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.ID
	}
	return fmt.Sprint(names)
}

// What is not guaranteed: a promise outlives whoever made it.
func TestLedger_APromiseIsNotASignOfLife(t *testing.T) {
	story.Seeds(t, 10, "A member that has crashed is chosen until somebody says that it is down.", func(_ *testing.T, s *story.Story, rng *rand.Rand) {
		r := kinds.New()
		register(s, r, kind("user"))
		members := []cluster.Member{
			{ID: "n1", Kinds: r.Kinds(), Status: cluster.Up},
			{ID: "n2", Kinds: r.Kinds(), Status: cluster.Up},
			{ID: "n3", Kinds: r.Kinds(), Status: cluster.Up},
		}
		crashed := members[rng.IntN(len(members))].ID
		s.Note(crashed, "crashes")
		for _, m := range kinds.Hosts(members, "user") {
			s.Note(m.ID, "is chosen")
			if m.ID == crashed {
				return
			}
		}
		s.Fatal(story.Failure{
			Happened: fmt.Sprintf("%s is up in the list and promised the kind, and was not chosen.", crashed),
			Lesson:   "Hosts knows only what it is told.", Read: "what-this-does-not-guarantee",
		})
	})
}
