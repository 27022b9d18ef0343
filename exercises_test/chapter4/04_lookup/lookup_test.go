package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

var (
	user1 = cluster.NewClusterIdentity("user", "1")
	user2 = cluster.NewClusterIdentity("user", "2")
	cart1 = cluster.NewClusterIdentity("cart", "1")
)

func TestLocate_ASlowStartBlocksNobodyElse(t *testing.T) {
	story.Bubble(t, "While user/1 takes its time to start, user/2 is found at once.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1 := w.nodes[0]
		w.locate(n1, user2)
		slow := w.call(n1, user1, patience)
		testkit.Advance(time.Millisecond)
		other := w.call(n1, user2, patience)
		if w.need(w.answer(other)); other.after > 0 {
			s.Fatal(story.Failure{
				Misconception: "one-lock-for-all",
				Happened:      "user/2 lives, and whoever asked for it waited until user/1 had started.",
				Got:           other.after, Want: "no time at all",
				Lesson: "A member hosts thousands. One whose state loads slowly must not keep the others from their callers.",
				Read:   "a-lock-is-not-a-queue",
			})
		}
		w.need(w.answer(slow))
	})
}

func TestLocate_StartsAtTheOwner(t *testing.T) {
	story.Bubble(t, "An actor is started once, by its owner, whoever is asked for it.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		first := w.locate(w.nodes[1], user1)
		for _, n := range w.nodes {
			got := w.locate(n, user1)
			wrong := story.Failure{
				Misconception: "starts-where-it-was-asked",
				Happened:      fmt.Sprintf("user/1 belongs to n1 and was asked for on n2, then on %s.", n.self.ID),
				Lesson:        "Every member that starts what it is asked for has a user/1 of its own, each with another state. Ask the owner.",
				Read:          "here-or-there",
			}
			w.once(user1, 1, wrong)
			if wrong.Got, wrong.Want = got, first; !got.Equal(first) || first.Address != w.nodes[0].self.Address {
				s.Fatal(wrong)
			}
		}
		if got := w.locate(w.nodes[0], cart1); got.Equal(first) {
			s.Fatal(story.Failure{
				Happened: "Whoever asked for cart/1 got the actor of user/1.", Got: got, Want: "another actor",
				Lesson: "An identity is its kind and its name.", Read: "what-to-write",
			})
		}
	})
}

func TestServe_OnlyWhatBelongsHere(t *testing.T) {
	story.Bubble(t, "A member that is asked for what it does not own says who does.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1, n2 := w.nodes[0], w.nodes[1]
		want := w.locate(n1, user1)
		got, err := n1.Serve(t.Context(), user1)
		if s.Need(s.Did("n1: Serve(user/1)", err), story.Failure{Happened: "n1 did not serve what it owns.", Lesson: "Serve is Locate, without asking anybody else.", Read: "here-or-there"}); !got.Equal(want) {
			s.Fatal(story.Failure{Happened: "Serve and Locate have different actors for user/1.", Got: got, Want: want, Lesson: "There is one table.", Read: "here-or-there"})
		}
		got, err = n2.Serve(t.Context(), user1)
		_ = s.Did("n2: Serve(user/1)", err)
		moved, told := errors.AsType[*cluster.MovedError](err)
		if times, _ := w.started(user1); !told || moved.ID != user1 || moved.Owner.ID != "n1" || times != 1 {
			s.Fatal(story.Failure{
				Misconception: "trusts-whoever-asks",
				Happened:      fmt.Sprintf("n2 was asked to serve user/1, which belongs to n1; user/1 was started %d times.", times),
				Got:           fmt.Sprintf("%v, error %v", got, err), Want: "a *cluster.MovedError for user/1 that names n1",
				Lesson: "Whoever asks may have an old view. If n2 believes it, there are two of user/1; if it asks n1 in turn, old views send callers round in circles.",
				Read:   "here-or-there",
			})
		}
	})
}

func TestLocate_TellsThatNobodyHosts(t *testing.T) {
	story.Bubble(t, "If no member hosts a kind, the caller is told so, and nothing is started.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		w.locate(w.nodes[0], user1)
		w.owner = func(_ *node, id cluster.Identity) (cluster.Member, error) {
			return cluster.Member{}, &cluster.NoHostError{ID: id}
		}
		for _, ask := range []func(context.Context, cluster.Identity) (*actor.PID, error){w.nodes[0].Locate, w.nodes[0].Serve} {
			pid, err := ask(t.Context(), cart1)
			nobody, told := errors.AsType[*cluster.NoHostError](err)
			if times, _ := w.started(cart1); !told || nobody.ID != cart1 || pid != nil || times != 0 {
				s.Fatal(story.Failure{
					Happened: "Node.Owner said that nobody hosts cart/1, and that was not passed on.",
					Got:      fmt.Sprintf("%v, error %v; started %d times", pid, err, times), Want: "the error of Node.Owner",
					Lesson: "That error says what to do about it. Another one in its place helps nobody.", Read: "here-or-there",
				})
			}
		}
	})
}

func TestLocate_AHundredCallersGetOneActor(t *testing.T) {
	story.Seeds(t, 20, "A hundred callers on three members get one actor.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		w := newWorld(t, s)
		owner, takes := w.nodes[rng.IntN(3)], time.Duration(10+rng.IntN(50))*time.Millisecond
		w.owner = func(*node, cluster.Identity) (cluster.Member, error) { return owner.self, nil }
		w.start = func(cluster.Identity, int) (time.Duration, error) { return takes, nil }
		wrong := story.Failure{
			Misconception: "check-then-activate",
			Happened:      fmt.Sprintf("A hundred callers ask for user/1, which belongs to %s and takes %v to start.", owner.self.ID, takes),
			Lesson:        "Between your look and your note others look as well, and see nothing. Note first that somebody starts it; whoever comes then waits for that.",
			Read:          "one-flight",
		}
		var callers []*caller
		for range 10 {
			for range 10 {
				callers = append(callers, w.dial(w.nodes[rng.IntN(3)], user1, patience))
			}
			s.Note("callers", "ten more ask for user/1")
			w.settle()
			if n, _ := w.started(user1); n > 1 {
				w.once(user1, 1, wrong)
			}
			testkit.Advance(time.Duration(1+rng.IntN(10_000)) * time.Microsecond)
		}
		pids := make(map[string]int)
		for _, c := range callers {
			w.need(w.answer(c))
			pids[c.pid.String()]++
		}
		w.once(user1, 1, wrong)
		if len(pids) != 1 {
			wrong.Got, wrong.Want = pids, "one PID, 100 times"
			s.Fatal(wrong)
		}
	})
}

func TestLocate_AFailedStartIsToldAndForgotten(t *testing.T) {
	story.Bubble(t, "Who waits for a start that fails is told why; who comes later has it tried again.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		full := errors.New("out of memory")
		n1 := w.nodes[0]
		w.locate(n1, user2)
		w.start = func(_ cluster.Identity, nth int) (time.Duration, error) {
			return 100 * time.Millisecond, map[int]error{1: full}[nth]
		}
		for _, c := range []*caller{w.call(n1, user1, patience), w.call(n1, user1, patience)} {
			pid, err := w.answer(c)
			if times, _ := w.started(user1); !errors.Is(err, full) || pid != nil || times != 1 {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("Two callers waited for a start that failed; user/1 was started %d times.", times),
					Got:      fmt.Sprintf("%v, error %v", pid, err), Want: "nil, error out of memory, for both; started once",
					Lesson: "They waited for the same start, so they get the same answer.", Read: "a-failure-is-not-an-actor",
				})
			}
		}
		pid, err := w.answer(w.call(n1, user1, patience))
		if errors.Is(err, full) {
			s.Fatal(story.Failure{
				Misconception: "caches-the-error",
				Happened:      "The first start failed. The next caller came later, when there was memory again.",
				Got:           fmt.Sprintf("error %v, from the first start", err), Want: "a second start, which would have gone well",
				Lesson: "A failure tells of one moment. Remembered, it makes user/1 unreachable until the member is restarted.",
				Read:   "a-failure-is-not-an-actor",
			})
		}
		w.need(pid, err)
		w.once(user1, 2, story.Failure{Happened: "The first start of user/1 failed, the second went well.", Lesson: "One start for those who wait together.", Read: "a-failure-is-not-an-actor"})
	})
}

func TestLocate_OneCallerGivesUp(t *testing.T) {
	story.Bubble(t, "A caller that gives up gets its answer then, and the others get the actor.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1 := w.nodes[0]
		hasty := w.call(n1, user1, 10*time.Millisecond)
		testkit.Advance(5 * time.Millisecond)
		patient := w.call(n1, user1, patience)
		pid, err := w.answer(patient)
		w.await(hasty)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			s.Fatal(story.Failure{
				Misconception: "dies-with-the-first-caller",
				Happened:      "The first caller had 10ms, the second 5s; the start took 100ms.",
				Got:           fmt.Sprintf("the second got: %v", err), Want: "the PID",
				Lesson: "Many wait for a start, and it belongs to none of them. The context that it runs with must not end when the first of them loses patience.",
				Read:   "whose-start-is-it",
			})
		}
		w.need(pid, err)
		w.once(user1, 1, story.Failure{Happened: "Two callers shared a start, until one of them gave up.", Lesson: "The start goes on for the other.", Read: "whose-start-is-it"})
		if !errors.Is(hasty.err, context.DeadlineExceeded) || !errors.Is(hasty.err, actor.ErrNotDelivered) || hasty.after != 10*time.Millisecond {
			s.Fatal(story.Failure{
				Misconception: "waits-out-the-start",
				Happened:      "The first caller had 10ms; the start took 100ms.",
				Got:           fmt.Sprintf("after %v: %v, error %v", hasty.after, hasty.pid, hasty.err), Want: "after 10ms: an error that is context.DeadlineExceeded and actor.ErrNotDelivered",
				Lesson: "A context bounds the call that it was given to. Wait for the start and for the context, whichever comes first.",
				Read:   "whose-start-is-it",
			})
		}
	})
}

func TestLocate_EveryCallerGivesUp(t *testing.T) {
	story.Bubble(t, "A start that nobody waits for any more is still one.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1 := w.nodes[0]
		w.locate(n1, user2)
		w.whole = true
		w.await(w.call(n1, user1, 10*time.Millisecond))
		s.Note("callers", "give up")
		testkit.Advance(10 * time.Millisecond)
		got := w.locate(n1, user1)
		testkit.Advance(time.Second)
		forgets := story.Failure{
			Misconception: "forgets-what-nobody-waits-for",
			Happened:      "A caller gave up during a start that could not be ended, and another one came before it was over.",
			Lesson:        "You stopped waiting; the start did not stop for that. Until it has returned, it may yet become an actor.",
			Read:          "whose-start-is-it",
		}
		w.once(user1, 1, forgets)
		if again := w.locate(n1, user1); !again.Equal(got) {
			forgets.Got, forgets.Want = again, got
			s.Fatal(forgets)
		}
	})
}

func TestEnded_TheNextCallerGetsAnother(t *testing.T) {
	story.Bubble(t, "An actor that has ended is replaced by the next call, and its late news harm nobody.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1 := w.nodes[0]
		first := w.locate(n1, user1)
		w.end(user1)
		w.news(n1, user1, first)
		w.news(n1, cart1, first) // which n1 never heard of
		w.settle()
		next := w.call(n1, user1, patience)
		testkit.Advance(time.Millisecond)
		w.news(n1, user1, first)
		w.settle()
		second, err := w.answer(next)
		w.need(second, err)
		w.once(user1, 2, story.Failure{Happened: "user/1 ended and was asked for again.", Lesson: "Forget who has ended. Two PIDs that are Equal are the same actor, even if they are two pointers.", Read: "ended"})
		w.news(n1, user1, first)
		w.settle()
		w.locate(n1, user1)
		w.once(user1, 2, story.Failure{
			Misconception: "ended-by-name",
			Happened:      fmt.Sprintf("News of the end of %s came again, when %s had taken its place, and the next call started a third.", first.ID, second.ID),
			Lesson:        "user/1 is a name, and what has ended is one actor of that name. Forget an actor, not a name.",
			Read:          "ended",
		})
	})
}

func TestEnded_BeforeItsStartReturned(t *testing.T) {
	story.Bubble(t, "An actor that ended before its start returned is not remembered.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		n1 := w.nodes[0]
		w.locate(n1, user2)
		w.ready = func(n *node, id cluster.Identity, pid *actor.PID) {
			if times, _ := w.started(id); times == 1 {
				w.end(id)
				select {
				case <-w.news(n, id, pid):
				case <-w.over:
				}
			}
		}
		w.start = func(cluster.Identity, int) (time.Duration, error) { return 0, nil }
		w.await(w.call(n1, user1, patience)) // whatever it gets
		testkit.Advance(time.Millisecond)
		got := w.locate(n1, user1)
		w.once(user1, 2, story.Failure{
			Misconception: "remembers-the-dead",
			Happened:      fmt.Sprintf("user/1 ended as soon as it had started; Ended came before Start returned. The next caller got %s.", got.ID),
			Lesson:        "An actor can be quicker than the return of what started it. News of an end that you cannot place yet must not be lost, or the dead stays in the table for good.",
			Read:          "ended",
		})
	})
}

// What is not guaranteed: one actor, if members disagree about the owner.
func TestLedger_TwoViewsTwoActors(t *testing.T) {
	story.Seeds(t, 10, "A member with an old view starts an actor that lives elsewhere already.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		w := newWorld(t, s)
		late := w.nodes[1+rng.IntN(2)]
		w.locate(w.nodes[0], user1)
		w.owner = func(asked *node, _ cluster.Identity) (cluster.Member, error) {
			if asked == late {
				return late.self, nil
			}
			return w.nodes[0].self, nil
		}
		s.Note(late.self.ID, "believes that it owns user/1")
		w.locate(late, user1)
		if _, atOnce := w.started(user1); atOnce != 2 {
			s.Fatal(story.Failure{
				Happened: fmt.Sprintf("n1 and %s both hold that they own user/1, and yet there was no second actor.", late.self.ID),
				Got:      atOnce, Want: 2,
				Lesson: "A Locator goes by what Node.Owner says.", Read: "what-this-does-not-guarantee",
			})
		}
	})
}
