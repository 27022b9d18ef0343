package failover_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

var (
	user1 = cluster.Identity{Kind: "user", Identity: "1"}
	user2 = cluster.Identity{Kind: "user", Identity: "2"}
)

// noon is when the tests without a cluster begin.
func noon() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

// view returns a view of members that are up, or in the status that follows
// their name: "n1", "n2 leaving".
func view(epoch uint64, members ...string) *cluster.View {
	v := &cluster.View{Epoch: epoch}
	for _, text := range members {
		id, status, _ := strings.Cut(text, " ")
		m := cluster.Member{ID: id, Address: id + ":8080", Kinds: []string{"user"}, Status: cluster.Up}
		for _, s := range []cluster.Status{cluster.Joining, cluster.Leaving, cluster.Down} {
			if s.String() == status {
				m.Status = s
			}
		}
		v.Members = append(v.Members, m)
	}
	return v
}

// places is where identities live: with the first of a list that is up. It
// counts how often it was asked.
type places struct {
	lists map[cluster.Identity]string
	asked int
}

func (p *places) owner(id cluster.Identity, members []cluster.Member) (cluster.Member, error) {
	p.asked++
	for name := range strings.FieldsSeq(p.lists[id]) {
		for _, m := range members {
			if m.ID == name && m.Status == cluster.Up {
				return m, nil
			}
		}
	}
	return cluster.Member{}, &cluster.NoHostError{ID: id, Members: members}
}

// gated is a gate, and what it was told. Its times count from noon on.
type gated struct {
	s     *story.Story
	gate  *failover.Gate
	epoch uint64
}

func gate(s *story.Story, owner failover.Owner) *gated {
	return &gated{s: s, gate: failover.New(owner, term)}
}

func (g *gated) change(at time.Duration, v *cluster.View) string {
	gone := g.gate.Change(noon().Add(at), v)
	names := make([]string, 0, len(gone))
	for _, m := range gone {
		names = append(names, m.ID)
	}
	slices.Sort(names)
	g.epoch = max(g.epoch, v.Epoch)
	g.s.Note("", "at %v: Change(epoch %d: %s), gone: %v", at, v.Epoch, list(v), names)
	return fmt.Sprint(names)
}

func list(v *cluster.View) string {
	names := make([]string, len(v.Members))
	for i, m := range v.Members {
		if names[i] = m.ID; m.Status != cluster.Up {
			names[i] += " " + m.Status.String()
		}
	}
	return strings.Join(names, ", ")
}

// admit asks for an activation by a good lease.
func (g *gated) admit(at time.Duration, id cluster.Identity) error {
	now := noon().Add(at)
	return g.s.Did(fmt.Sprintf("at %v: Admit(%s)", at, id), g.gate.Admit(now, failover.Lease{Epoch: g.epoch, Until: now.Add(term)}, id))
}

// opens fails unless id may be started from then on, and not before.
func (g *gated) opens(at time.Duration, id cluster.Identity, early, late story.Failure) {
	const before = 700 * time.Millisecond
	errs := map[time.Duration]error{}
	for _, d := range []time.Duration{before, time.Nanosecond} {
		if errs[d] = g.admit(at-d, id); errs[d] == nil {
			early.Got, early.Want = fmt.Sprintf("admitted at %v", at-d), fmt.Sprintf("not before %v", at)
			g.s.Fatal(early)
		}
	}
	g.s.Need(g.admit(at, id), late)
	for d, err := range errs {
		g.retryable(err, d, id)
	}
}

// retryable fails unless err tells the caller to come back after d.
func (g *gated) retryable(err error, d time.Duration, id cluster.Identity) {
	rejected, ok := errors.AsType[*actor.RejectedError](err)
	if ok && errors.Is(err, actor.ErrNotDelivered) && rejected.RetryAfter == d {
		return
	}
	f := story.Failure{
		Misconception: "an-error-is-an-error",
		Happened:      fmt.Sprintf("Admit refused %s, %v before it may be started.", id, d),
		Got:           fmt.Sprintf("%T: %v", err, err), Want: fmt.Sprintf("an *actor.RejectedError that is actor.ErrNotDelivered, with RetryAfter %v", d),
		Lesson: "Nothing was executed, so a retry is safe. A caller who is told when need not guess, nor ask a hundred times.",
		Read:   "come-back-later",
	}
	if !ok {
		g.s.Need(err, f)
	}
	g.s.Fatal(f)
}

// unwritten returns an error while nothing is written at all.
func unwritten() error {
	if err := failover.New(owner, term).Admit(noon(), failover.Lease{}, user1); todo.Is(err) {
		return err
	}
	return nil
}

func TestMayActivate_ALeaseIsForOneViewAndOneTerm(t *testing.T) {
	s := story.Begin(t, "A member may act while it has a lease for the newest view that it has heard of.")
	lease := failover.Lease{Epoch: 7, Until: noon()}
	for _, row := range []struct {
		before        time.Duration
		epoch         uint64
		want          bool
		misconception string
		why           string
	}{
		{time.Second, 7, true, "", "the lease is for this view, and not over"},
		{time.Nanosecond, 7, true, "", "the lease is for this view, and not over"},
		{0, 7, false, "same-epoch-is-enough", "the lease is over, as anybody else who waits for its end thinks"},
		{-time.Hour, 7, false, "same-epoch-is-enough", "the lease was over an hour ago, and no news has come since"},
		{time.Second, 8, false, "time-is-enough", "the lease is for an older view, in which more may belong to this member"},
		{time.Second, 6, false, "time-is-enough", "the lease is for a view that this member does not know yet"},
	} {
		now := lease.Until.Add(-row.before)
		got := failover.MayActivate(now, lease, row.epoch)
		s.Note("", "%v before the end of a lease for epoch 7, having heard of epoch %d: %v", row.before, row.epoch, got)
		if got != row.want {
			if !got {
				s.Need(unwritten(), story.Failure{Read: "leases"})
			}
			s.Fatal(story.Failure{
				Misconception: row.misconception,
				Happened:      fmt.Sprintf("MayActivate, %v before the lease for epoch 7 is over, when epoch %d is the newest: %s.", row.before, row.epoch, row.why),
				Got:           got, Want: row.want,
				Lesson: "Two things have to be true. The clock tells of time in which no news came. The epoch tells of news that no clock shows.",
				Read:   "leases",
			})
		}
	}
}

func TestChange_NamesWhoIsGone(t *testing.T) {
	s := story.Begin(t, "Change returns each member that is gone, once, so that nobody goes on asking it.")
	g := gate(s, (&places{}).owner)
	for _, row := range []struct {
		view *cluster.View
		want string
		why  string
	}{
		{view(1, "n1", "n2", "n3", "n4 joining"), "[]", "whoever is in the first view is not gone"},
		{view(2, "n1", "n2 leaving", "n3", "n4"), "[]", "a member that is leaving still serves what it has"},
		{view(3, "n1", "n3 down", "n4", "n5"), "[n2 n3]", "n2 is missing, and n3 is down; n5 has just come"},
		{view(4, "n1", "n4", "n5"), "[]", "n3 was gone before"},
		{view(3, "n1", "n4"), "[]", "that view is older than the one before"},
		{view(4, "n1"), "[]", "that view is not newer than the one before"},
		{view(6, "n1", "n5.2"), "[n4 n5]", "n4 is missing; n5 was started again, which makes it another member"},
	} {
		if got := g.change(0, row.view); got != row.want {
			if got == "[]" {
				s.Need(unwritten(), story.Failure{Read: "gone"})
			}
			s.Fatal(story.Failure{
				Misconception: "nobody-re-asks",
				Happened:      fmt.Sprintf("Change was given epoch %d with %s: %s.", row.view.Epoch, list(row.view), row.why),
				Got:           got, Want: row.want,
				Lesson: "Others keep in a cache where an identity lives. Nobody looks again for what they believe to know, until you tell them.",
				Read:   "gone",
			})
		}
	}
	s.Need(g.admit(term, user1), story.Failure{Happened: "No owner of user/1 has ever vanished.", Read: "what-to-write"})
}

func TestAdmit_NeedsALease(t *testing.T) {
	s := story.Begin(t, "Without a lease for its newest view a member starts nothing, and says so in a way that invites to try again.")
	g := gate(s, (&places{lists: map[cluster.Identity]string{user1: "n1"}}).owner)
	lasts := noon().Add(time.Hour)
	refused := func(what, misconception string, lease failover.Lease, now time.Time) {
		err := s.Did(what, g.gate.Admit(now, lease, user1))
		rejected, ok := errors.AsType[*actor.RejectedError](err)
		if err != nil && ok && errors.Is(err, actor.ErrNotDelivered) && rejected.RetryAfter > 0 && rejected.RetryAfter <= term {
			return
		}
		f := story.Failure{
			Misconception: "an-error-is-an-error", Happened: "Admit was asked " + what + ".",
			Got:    fmt.Sprintf("%T: %v", err, err),
			Want:   "an *actor.RejectedError that is actor.ErrNotDelivered, with RetryAfter up to a term",
			Lesson: "Nothing was executed, so a retry is safe. A caller who is not told so must give up.", Read: "come-back-later",
		}
		if err == nil {
			f.Misconception, f.Read = misconception, "leases"
			f.Lesson = "A lease is for one view and one term. The gate has to ask for both, each time."
		}
		if !ok {
			s.Need(err, f)
		}
		s.Fatal(f)
	}
	refused("before the first view, by a lease of nothing", "time-is-enough", failover.Lease{Until: lasts}, noon())
	g.change(0, view(3, "n1", "n2"))
	late := noon().Add(term)
	s.Need(s.Did("Admit by a good lease", g.gate.Admit(late, failover.Lease{Epoch: 3, Until: lasts}, user1)), story.Failure{
		Misconception: "waits-for-ever",
		Happened:      "The only view is a term old, and this member has a lease for it.", Lesson: "Then there is nothing to wait for.", Read: "newcomers",
	})
	refused("by no lease at all", "", failover.Lease{}, late)
	refused("by a lease that ends at that instant", "same-epoch-is-enough", failover.Lease{Epoch: 3, Until: late}, late)
	refused("by a lease for the view before", "time-is-enough", failover.Lease{Epoch: 2, Until: lasts}, late)
	refused("by a lease for a view that the gate has not been given", "time-is-enough", failover.Lease{Epoch: 4, Until: lasts}, late)
}

func TestAdmit_WaitsForWhoVanished(t *testing.T) {
	s := story.Begin(t, "What a vanished member owned may be started once its lease is over, and all else at once.")
	p := &places{lists: map[cluster.Identity]string{user1: "n1 n2", user2: "n2"}}
	g := gate(s, p.owner)
	g.change(0, view(1, "n1", "n2", "n3"))
	g.change(10*time.Second, view(2, "n2", "n3"))
	s.Need(g.admit(10*time.Second, user2), story.Failure{
		Misconception: "stops-the-world",
		Happened:      "n1 vanished. user/2 belongs to n2, as it did before, and n2 refuses it.",
		Lesson:        "Only what n1 owned may be active there. For all others there is nothing to wait for.", Read: "whose-lease",
	})
	g.opens(10*time.Second+term, user1, story.Failure{
		Misconception: "timeout-is-death",
		Happened:      "n1, which owned user/1, was out of the view at 10s. It got its last lease before that, for 2s.",
		Lesson:        "Out of the view is a guess about n1, not a fact. Its lease, not your timeout, says when it is safe.", Read: "leases",
	}, story.Failure{
		Misconception: "waits-for-ever",
		Happened:      "n1 vanished a term ago, so whatever lease it had is over, and user/1 is still refused.",
		Lesson:        "Count from when the view changed, not from when somebody asks.", Read: "whose-lease",
	})
	g.change(20*time.Second, view(3, "n2 down", "n3"))
	g.change(20500*time.Millisecond, view(4, "n3"))
	g.opens(20*time.Second+term, user2, story.Failure{
		Misconception: "timeout-is-death",
		Happened:      "n2, which owned user/2, is down in the view of 20s, and not in the next one.",
		Lesson:        "A member that the view calls down may be no more dead than one that the view leaves out.", Read: "leases",
	}, story.Failure{Misconception: "waits-for-ever", Happened: "n2 is down since a term ago.", Lesson: "Its lease is over.", Read: "whose-lease"})
}

func TestAdmit_RemembersOlderOwners(t *testing.T) {
	s := story.Begin(t, "An identity waits for everybody who owned it within the last term, not only for the last one.")
	p := &places{lists: map[cluster.Identity]string{user1: "n1 n4 n2 n3"}}
	g := gate(s, p.owner)
	g.change(0, view(1, "n1", "n2", "n3"))
	g.change(10*time.Second, view(2, "n2", "n3"))
	g.change(10500*time.Millisecond, view(3, "n2", "n3", "n4"))
	g.change(11*time.Second, view(4, "n2 leaving", "n3", "n4 leaving"))
	g.opens(10*time.Second+term, user1, story.Failure{
		Misconception: "only-the-last-owner",
		Happened:      "user/1 belonged to n1, then to n2, then to n4, and now to n3. n1 vanished at 10s; n2 and n4 are still there, and never started it.",
		Lesson:        "The owner before you may have waited, just as you do, for one that was there before it. Views change faster than leases end.",
		Read:          "whose-lease",
	}, story.Failure{
		Misconception: "the-wait-begins-anew",
		Happened:      "n1 vanished at 10s, and the view has changed twice since then. A term after 10s user/1 is still refused.",
		Lesson:        "Each view has its own end. If every change began the wait anew, a restless cluster would never serve user/1 again.",
		Read:          "whose-lease",
	})
}

// A member may keep a lease for a view that it owned something in, and not hear
// of a second one before it vanishes.
func TestAdmit_EachViewHasItsOwnEnd(t *testing.T) {
	s := story.Begin(t, "The wait counts from the change that took an identity from its owner, not from when the owner vanished.")
	p := &places{lists: map[cluster.Identity]string{user1: "n4 n1 n2", user2: "n1 n2"}}
	g := gate(s, p.owner)
	g.change(0, view(1, "n1", "n2"))
	g.change(10*time.Second, view(2, "n1", "n2", "n4"))
	g.change(11*time.Second, view(3, "n2", "n4"))
	g.opens(10*time.Second+term, user1, story.Failure{
		Misconception: "only-the-last-owner",
		Happened:      "user/1 belonged to n1 until 10s and to n4 since then. n1 vanished at 11s, and may never have heard of n4.",
		Lesson:        "A paused n1 still has its lease for the first view.", Read: "whose-lease",
	}, story.Failure{
		Misconception: "the-wait-begins-anew",
		Happened:      "user/1 was taken from n1 at 10s, so n1 has had no lease for it since 12s. n4 may start it.",
		Lesson:        "A lease is for one view. Those for the first view were over a term after the second.", Read: "whose-lease",
	})
	g.opens(11*time.Second+term, user2, story.Failure{
		Misconception: "timeout-is-death",
		Happened:      "user/2 belonged to n1 until n1 vanished, at 11s.", Lesson: "Until then n1 could get leases for it.", Read: "whose-lease",
	}, story.Failure{Misconception: "waits-for-ever", Happened: "n1 vanished a term ago.", Lesson: "Its lease is over.", Read: "whose-lease"})
}

func TestAdmit_TheNewcomerWaits(t *testing.T) {
	s := story.Begin(t, "A member that has just begun waits for one term, for it does not know who vanished before it came.")
	g := gate(s, (&places{lists: map[cluster.Identity]string{user1: "n4"}}).owner)
	g.change(10*time.Second, view(9, "n2", "n3", "n4"))
	g.opens(10*time.Second+term, user1, story.Failure{
		Misconception: "the-newcomer-knows-all",
		Happened:      "n4 has just joined, at 10s. It is not told that n1, which owned user/1, vanished a moment before.",
		Lesson:        "The first view that you see is not the first view that there was.", Read: "newcomers",
	}, story.Failure{
		Misconception: "waits-for-ever",
		Happened:      "n4 has been there for a term.", Lesson: "Whoever vanished before it came has no lease any more.", Read: "newcomers",
	})
}

func TestAdmit_NobodyWaitsForWhoLeft(t *testing.T) {
	s := story.Begin(t, "What was on a member that left politely may be started at once.")
	p := &places{lists: map[cluster.Identity]string{user1: "n1 n2", user2: "n2 n1"}}
	g := gate(s, p.owner)
	g.change(0, view(1, "n1", "n2", "n3"))
	for _, step := range []struct {
		at   time.Duration
		view *cluster.View
		what string
	}{
		{10 * time.Second, view(2, "n1 leaving", "n2", "n3"), "n1 is leaving, and can be asked to stop what it has"},
		{10100 * time.Millisecond, view(3, "n2", "n3"), "n1 was seen leaving, and is gone"},
		{10200 * time.Millisecond, view(4, "n2", "n3", "n4"), "n1 was seen leaving, and was gone before n4 came"},
	} {
		g.change(step.at, step.view)
		s.Need(g.admit(step.at, user1), story.Failure{
			Misconception: "gone-is-gone",
			Happened:      "user/1 belonged to n1, and belongs to n2 now: " + step.what + ".",
			Lesson:        "A member that leaves says so, stops what it has, and only then goes. Whoever waits for it makes politeness useless.",
			Read:          "whoever-leaves",
		})
	}
	g.change(20*time.Second, view(5, "n1", "n3 leaving"))
	g.opens(20*time.Second+term, user2, story.Failure{
		Misconception: "timeout-is-death", Happened: "n2, which owned user/2, has vanished at 20s. It is n3 that is leaving.",
		Lesson: "That somebody else leaves says nothing about n2.", Read: "whoever-leaves",
	}, story.Failure{Misconception: "waits-for-ever", Happened: "n2 vanished a term ago.", Lesson: "Its lease is over.", Read: "whose-lease"})
}

func TestGate_ForgetsViews(t *testing.T) {
	s := story.Begin(t, "A gate keeps no more than it needs: views of the last term.")
	p := &places{lists: map[cluster.Identity]string{user1: "n1"}}
	g := gate(s, p.owner)
	for i := range 100 {
		g.change(time.Duration(i)*time.Minute, view(uint64(i+1), "n1", fmt.Sprintf("x%d", i)))
	}
	p.asked = 0
	s.Need(g.admit(99*time.Minute, user1), story.Failure{
		Misconception: "stops-the-world", Happened: "x98 vanished, which never owned user/1.", Lesson: "Ask who owned it.", Read: "whose-lease",
	})
	if p.asked > 5 {
		s.Fatal(story.Failure{
			Misconception: "keeps-every-view",
			Happened:      "The view changed once a minute, a hundred times. Then the gate was asked about user/1.",
			Got:           fmt.Sprintf("%d questions who owned it", p.asked), Want: "one or two",
			Lesson: "After a term a view does not matter any more. A gate that keeps them all gets slower with each day.", Read: "whose-lease",
		})
	}
}

func TestGate_ConcurrentUse(t *testing.T) {
	story.Bubble(t, "A gate may be asked while its view changes.", func(_ *testing.T, s *story.Story) {
		g := failover.New(func(_ cluster.Identity, members []cluster.Member) (cluster.Member, error) { return members[0], nil }, term)
		g.Change(noon(), view(1, "n1", "n2"))
		lease := failover.Lease{Epoch: 1, Until: noon().Add(2 * term)}
		s.Need(g.Admit(noon().Add(term), lease, user1), story.Failure{Happened: "No owner of user/1 has vanished.", Read: "what-to-write"})
		var callers sync.WaitGroup
		var admitted sync.Map
		for range 4 {
			callers.Go(func() {
				for range 100 {
					if err := g.Admit(noon().Add(term), failover.Lease{Epoch: 1, Until: noon()}, user1); err == nil {
						admitted.Store(user1, true)
					}
				}
			})
		}
		for i := range uint64(100) {
			g.Change(noon().Add(term), view(i+2, "n1", "n2"))
		}
		callers.Wait()
		if _, wrong := admitted.Load(user1); wrong {
			s.Fatal(story.Failure{Happened: "A lease that is over was admitted.", Lesson: "It is over in every view.", Read: "leases"})
		}
	})
}
