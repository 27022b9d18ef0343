package placement_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	placement "github.com/protocluster/workshop/chapters/chapter4/03_placement"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// local are n members on one machine, which is where a hash has the hardest time:
// their addresses differ in a digit.
func local(n int) []cluster.Member {
	var members []cluster.Member
	for i := range n {
		members = append(members, cluster.Member{
			ID: fmt.Sprint("n", i+1), Address: fmt.Sprint("127.0.0.1:", 8081+i), Kinds: []string{"user"}, Status: cluster.Up,
		})
	}
	return members
}

func users(n int) []cluster.Identity {
	var ids []cluster.Identity
	for i := range n {
		ids = append(ids, cluster.Identity{Kind: "user", Identity: fmt.Sprint(i)})
	}
	return ids
}

// owner requires that somebody owns id.
func owner(s *story.Story, id cluster.Identity, members []cluster.Member) cluster.Member {
	m, err := placement.Owner(id, members)
	if err != nil {
		s.Need(s.Did(fmt.Sprintf("Owner(%s) of %d members", id, len(members)), err), story.Failure{
			Happened: fmt.Sprintf("Nobody owns %s, although a member is up and hosts its kind.", id),
			Lesson:   "Every identity has an owner as long as anybody can host it.", Read: "what-to-write",
		})
	}
	return m
}

func TestOwner_EveryMemberAgrees(t *testing.T) {
	story.Seeds(t, 10, "Members that have the same view name the same owner, in whatever order the view is.", func(_ *testing.T, s *story.Story, r *rand.Rand) {
		members := local(5)
		for _, id := range users(100) {
			want := owner(s, id, members)
			other := shuffled(r, members)
			if got := owner(s, id, other); got.ID != want.ID {
				s.Note("n1", "owner of %s in %s: %s", id, names(members), want.ID)
				s.Note("n2", "owner of %s in %s: %s", id, names(other), got.ID)
				s.Fatal(story.Failure{
					Misconception: "a-place-in-a-list",
					Happened:      fmt.Sprintf("Two members have the same view, in another order, and send %s to two places.", id), Got: got.ID, Want: want.ID,
					Lesson: "A place in a list is not a property of a member. Compute something from the member itself, and compare that.", Read: "the-same-everywhere",
				})
			}
		}
	})
}

func TestOwner_SpreadsEvenly(t *testing.T) {
	s := story.Begin(t, "Each of n members owns 1/n of many identities, give or take 10 %, also if their addresses differ in one digit.")
	for _, n := range []int{2, 3, 5} {
		const each = 6000
		members := local(n)
		owned := map[string]int{}
		for _, id := range users(each * n) {
			owned[owner(s, id, members).ID]++
		}
		for _, m := range members {
			s.Note("", "%s at %s owns %.1f %% of %d", m.ID, m.Address, 100*float64(owned[m.ID])/float64(each*n), each*n)
		}
		for _, m := range members {
			if got := owned[m.ID]; got < each*9/10 || got > each*11/10 {
				s.Fatal(story.Failure{
					Misconception: "any-hash-will-do",
					Happened:      fmt.Sprintf("%d identities are spread unevenly over %d members.", each*n, n),
					Got:           fmt.Sprintf("%s owns %d", m.ID, got), Want: fmt.Sprintf("%d to %d", each*9/10, each*11/10),
					Lesson: "FNV leaves texts that differ in their last digit close together, so the same member wins too often. Mix the bits before you compare.",
					Read:   "mixing",
				})
			}
		}
	}
}

func TestOwner_OnlyALeaversIdentitiesMove(t *testing.T) {
	s := story.Begin(t, "When a member leaves, what it owned moves, and nothing else; when it comes back, it takes just that again.")
	members := local(5)
	without := members[:4]
	moved, total := 0, 5000
	for _, id := range users(total) {
		before, after := owner(s, id, members), owner(s, id, without)
		if before.ID != after.ID {
			moved++
		}
		if before.ID != after.ID && before.ID != "n5" {
			s.Note("", "%s is on %s", id, before.ID)
			s.Note("", "n5 leaves")
			s.Note("", "%s is on %s", id, after.ID)
			s.Fatal(story.Failure{
				Misconception: "counting-members",
				Happened:      fmt.Sprintf("n5 left, and %s moved from %s to %s, which both stayed.", id, before.ID, after.ID),
				Lesson:        "With hash modulo n, almost everything moves when n changes. A moved actor stops, loses its memory and starts anew.",
				Read:          "only-what-has-to",
			})
		}
	}
	if most := total/5 + total*3/100; moved == 0 || moved > most {
		s.Fatal(story.Failure{
			Misconception: "any-hash-will-do",
			Happened:      "One of five members left.", Got: fmt.Sprintf("%d of %d identities moved", moved, total), Want: fmt.Sprintf("some, at most %d", most),
			Lesson: "What moves is what the leaver owned: a fifth.", Read: "only-what-has-to",
		})
	}
}

func TestOwner_OnlyWhoIsUpAndPromised(t *testing.T) {
	s := story.Begin(t, "Only a member that is up and hosts the kind owns an identity.")
	members := local(6)
	members[1].Status, members[2].Status, members[3].Status = cluster.Joining, cluster.Leaving, cluster.Down
	members[4].Kinds = []string{"order"}
	allowed := []string{"n1", "n6"}
	for _, id := range users(500) {
		if got := owner(s, id, members).ID; !slices.Contains(allowed, got) {
			s.Fatal(story.Failure{
				Misconception: "every-member-counts",
				Happened:      fmt.Sprintf("%s belongs to a member that cannot host it: n2 is joining, n3 leaving, n4 down, and n5 hosts orders only.", id), Got: got, Want: "n1 or n6",
				Lesson: "First leave out who cannot host it, then let the others compete.", Read: "who-competes",
			})
		}
	}
	if got := owner(s, cluster.Identity{Kind: "order", Identity: "7"}, members).ID; got != "n5" {
		s.Fatal(story.Failure{
			Misconception: "every-member-counts", Happened: "order/7 does not belong to the only member that hosts orders.", Got: got, Want: "n5",
			Lesson: "First leave out who cannot host it, then let the others compete.", Read: "who-competes",
		})
	}
}

func TestOwner_EqualsAreToldApart(t *testing.T) {
	s := story.Begin(t, "Of two members with the same score, the same one wins everywhere.")
	members := local(1)
	members = append(members, members[0])
	members[1].ID = "n2" // the restarted n1, while the old one is still in the view
	for _, id := range users(20) {
		one, other := owner(s, id, members), owner(s, id, []cluster.Member{members[1], members[0]})
		if one.ID != "n2" || other.ID != "n2" {
			s.Note("m1", "owner of %s among n1, n2: %s", id, one.ID)
			s.Note("m2", "owner of %s among n2, n1: %s", id, other.ID)
			s.Fatal(story.Failure{
				Misconception: "list-order-breaks-ties",
				Happened:      "n1 was restarted as n2, at its address, and is still in the view. Both score the same.",
				Got:           fmt.Sprintf("%s, and %s in the other order", one.ID, other.ID), Want: "n2, whose ID is greater, in both",
				Lesson: "Whoever comes first in a list that two members have in two orders is not the same. Compare the IDs if the scores are equal.",
				Read:   "equals",
			})
		}
	}
}

func TestOwner_ARestartKeepsThePlace(t *testing.T) {
	s := story.Begin(t, "A member that is restarted at its address owns what it owned before.")
	before, after := local(3), local(3)
	after[1].ID = "n2-restarted"
	for _, id := range users(300) {
		was, is := owner(s, id, before), owner(s, id, after)
		if was.Address != is.Address {
			s.Fatal(story.Failure{
				Misconception: "scores-by-id",
				Happened:      fmt.Sprintf("n2 was restarted with a new ID, as after an update, and %s moved.", id), Got: is.Address, Want: was.Address,
				Lesson: "An ID is new at each start, an address mostly stays. In a rolling restart, whoever scores by ID moves everything n times.",
				Read:   "what-to-hash",
			})
		}
	}
}

func TestOwner_KindAndIdentityAreTwoThings(t *testing.T) {
	s := story.Begin(t, "Two identities are placed independently, also if kind and identity read the same in a row.")
	members := local(3)
	for i := range members {
		members[i].Kinds = []string{"user", "users"}
	}
	same, total := 0, 600
	for i := range total {
		one := owner(s, cluster.Identity{Kind: "user", Identity: fmt.Sprint("s", i)}, members)
		if one.ID == owner(s, cluster.Identity{Kind: "users", Identity: fmt.Sprint(i)}, members).ID {
			same++
		}
	}
	if same > total/2 {
		s.Fatal(story.Failure{
			Misconception: "one-string",
			Happened:      "user/s1 and users/1 are always on the same member, as are all such pairs.",
			Got:           fmt.Sprintf("%d of %d pairs", same, total), Want: fmt.Sprint("about ", total/3),
			Lesson: "Glued together, both are users1. Hash something between the two parts that cannot be in them.", Read: "what-to-hash",
		})
	}
}

func TestOwner_NobodyIsAnError(t *testing.T) {
	s := story.Begin(t, "If no member can host a kind, the error says which identity, and who was asked.")
	members, id := local(3), cluster.Identity{Kind: "sensor", Identity: "7"}
	owner(s, users(1)[0], members)
	got, err := placement.Owner(id, members)
	nobody, ok := errors.AsType[*cluster.NoHostError](s.Did("Owner(sensor/7)", err))
	if !ok || nobody.ID != id || len(nobody.Members) != len(members) {
		s.Fatal(story.Failure{
			Misconception: "nobody-is-somebody",
			Happened:      "None of three members hosts sensors.", Got: fmt.Sprintf("owner %q, error %v", got.ID, err), Want: "a *cluster.NoHostError with sensor/7 and the three members",
			Lesson: "The caller has to know that waiting may help, because a member that hosts sensors may just be joining.", Read: "nobody",
		})
	}
	for _, none := range [][]cluster.Member{nil, {}} {
		if _, err := placement.Owner(id, none); err == nil {
			s.Fatal(story.Failure{Misconception: "nobody-is-somebody", Happened: "An empty cluster has an owner.", Got: "no error", Want: "a *cluster.NoHostError",
				Lesson: "A zero Member has no address to send to.", Read: "nobody"})
		}
	}
}

// What is not guaranteed: one owner, as long as views differ.
func TestLedger_TwoViewsNameTwoOwners(t *testing.T) {
	story.Seeds(t, 10, "Two members whose views differ may name two owners of one identity.", func(_ *testing.T, s *story.Story, r *rand.Rand) {
		members := local(4)
		gone := r.IntN(len(members))
		fewer := slices.Delete(slices.Clone(members), gone, gone+1)
		for _, id := range users(100) {
			one, other := owner(s, id, members), owner(s, id, fewer)
			if one.ID != other.ID {
				s.Note("m1", "sees %s: %s is on %s", names(members), id, one.ID)
				s.Note("m2", "sees %s: %s is on %s", names(fewer), id, other.ID)
				return
			}
		}
		s.Fatal(story.Failure{Happened: "A member is missing in one of two views, and 100 identities have the same owner in both.",
			Lesson: "A quarter of them should belong to whoever is missing.", Read: "what-this-does-not-guarantee"})
	})
}

func names(members []cluster.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.ID)
	}
	return fmt.Sprint(all)
}

func shuffled(r *rand.Rand, members []cluster.Member) []cluster.Member {
	all := slices.Clone(members)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
