package pidcache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	pidcache "github.com/protocluster/workshop/chapters/chapter4/05_pidcache"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestCache_HasWhatWasPut(t *testing.T) {
	story.Bubble(t, "A cache has the PID that was put last, for each identity.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		wrong := story.Failure{Lesson: "An identity is its kind and its name, and lives in one place.", Read: "what-to-write"}
		has := func(id cluster.Identity, want *actor.PID) {
			t.Helper()
			if got, ok := w.cache.Get(id); !got.Equal(want) || ok != (want != nil) {
				wrong.Happened = fmt.Sprintf("Get(%s) is not what was put last.", id)
				wrong.Got, wrong.Want = fmt.Sprint(got, ", ", ok), fmt.Sprint(want, ", ", want != nil)
				s.Fatal(wrong)
			}
		}
		has(user1, at(1, "user/1"))
		has(user2, nil)
		for _, step := range []struct {
			id  cluster.Identity
			pid *actor.PID
		}{{user2, at(2, "user/2")}, {cart1, at(3, "cart/1")}, {user1, at(2, "user/1")}} {
			w.cache.Put(step.id, step.pid)
			s.Note("", "Put(%s, %s)", step.id, step.pid)
		}
		has(user1, at(2, "user/1"))
		has(user2, at(2, "user/2"))
		has(cart1, at(3, "cart/1"))
	})
}

func TestRequest_AHitAsksNobody(t *testing.T) {
	story.Bubble(t, "Once it is known where user/1 lives, a request costs one message.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		for range 3 {
			w.works("Nothing went wrong, and Request failed.")
		}
		w.counts(1, 3, story.Failure{
			Misconception: "asks-each-time",
			Happened:      "Three requests were made for user/1, which did not move.",
			Lesson:        "A look-up is one more message to another member, with each request. What was found out once is good until somebody finds it wrong.",
			Read:          "a-hit",
		})
	})
}

func TestRequest_ADeadPIDIsReplaced(t *testing.T) {
	story.Bubble(t, "A request that finds its actor dead is served where the identity lives now.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		s.Note("n1", "user/1 ends, and is started at n2")
		moving := &cluster.MovedError{ID: user1, Owner: cluster.Member{ID: "n2"}}
		w.locate = func(nth int) (*actor.PID, error) {
			if nth == 2 {
				return nil, moving // n1 has heard of the move already, the caller has not
			}
			return at(2, "user/1"), nil
		}
		w.deliver = func(_ int, pid *actor.PID) (any, error) {
			if pid.Equal(at(1, "user/1")) {
				return nil, errStopped
			}
			return usualReply, nil
		}
		reply, err := w.request(usualBudget)
		dead := story.Failure{
			Misconception: "same-door-again",
			Happened:      "user/1 had ended at n1 and lived at n2. The request to it had five seconds.",
			Got:           fmt.Sprintf("%v, error %v; tried at %s", reply, err, w.when(1)), Want: "the reply from n2",
			Lesson: "Whoever knocks again at the same door gets the same answer. What has just proved wrong must not be asked a second time.",
			Read:   "a-miss",
		}
		if err != nil || reply != usualReply {
			s.Fatal(dead)
		}
		dead.Got, dead.Want = nil, nil
		w.counts(3, 3, dead)
		if pid, _ := w.cache.Get(user1); !pid.Equal(at(2, "user/1")) {
			dead.Got, dead.Want = pid, "where it lives now"
			s.Fatal(dead)
		}
	})
}

func TestRemoveIf_NeverDropsANewerOne(t *testing.T) {
	story.Bubble(t, "Late news of an old PID leaves the new one alone.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.cache.Put(user1, at(2, "user/1"))
		s.Note("", "Put(user/1, n2)")
		w.cache.RemoveIf(user1, at(1, "user/1"))
		s.Note("", "RemoveIf(user/1, n1)")
		if pid, ok := w.cache.Get(user1); !ok {
			s.Fatal(story.Failure{
				Misconception: "removes-by-identity",
				Happened:      "user/1 is known to live at n2. Then somebody came back from n1, where it does not live any more.",
				Got:           fmt.Sprint(pid, ", ", ok), Want: at(2, "user/1"),
				Lesson: "Many had the old PID, and each finds out for itself, one after the other. Each must remove what it has tried, and nothing else.",
				Read:   "remove-what-you-tried",
			})
		}
		w.cache.RemoveIf(user2, at(2, "user/1"))
		w.cache.RemoveIf(user1, at(2, "user/1"))
		s.Note("", "RemoveIf(user/1, n2)")
		if pid, ok := w.cache.Get(user1); ok {
			s.Fatal(story.Failure{
				Misconception: "compares-pointers",
				Happened:      "user/1 was known to live at n2, and RemoveIf was called with a PID that says so.",
				Got:           fmt.Sprint(pid, ", ", ok), Want: "nobody",
				Lesson: "Each message brings PIDs of its own. Two pointers may mean one actor; PIDs know themselves whether they do.",
				Read:   "remove-what-you-tried",
			})
		}
	})
}

func TestRequest_TwoFindTheSameDead(t *testing.T) {
	story.Bubble(t, "Of two that find the same actor dead, only the first one asks where it is now.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		s.Note("n1", "user/1 ends, and is started at n2")
		w.locate = func(int) (*actor.PID, error) { return at(2, "user/1"), nil }
		w.deliver = func(nth int, pid *actor.PID) (any, error) {
			if !pid.Equal(at(1, "user/1")) {
				return usualReply, nil
			}
			<-time.After(time.Duration(nth-1) * time.Second) // the bad news takes 1 s and 2 s
			return nil, errStopped
		}
		var callers sync.WaitGroup
		failed := make([]error, 2)
		for i := range failed {
			callers.Go(func() { _, failed[i] = w.request(usualBudget) })
		}
		callers.Wait()
		s.Need(errors.Join(failed...), story.Failure{Happened: "Two requests found user/1 dead at n1; it lived at n2.", Lesson: "Both have time enough to find it.", Read: "a-miss"})
		w.counts(2, 5, story.Failure{
			Misconception: "removes-by-identity",
			Happened:      "Two requests went to n1, where user/1 had ended. The first came back after 1s, the second after 2s.",
			Lesson:        "When the second comes back, the first has long found n2. What the second tried was n1.",
			Read:          "remove-what-you-tried",
		})
	})
}

func TestRemoveMember_ForgetsTheLeaverOnly(t *testing.T) {
	story.Bubble(t, "When a member leaves, everything that lived there is forgotten, and nothing else.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.cache.Put(cart1, at(1, "cart/1"))
		for member := 10; member < 20; member++ { // 10.0.0.1 is the beginning of theirs
			id := cluster.NewClusterIdentity("user", fmt.Sprint(member))
			w.cache.Put(id, at(member, id.String()))
		}
		w.cache.RemoveMember("10.0.0.1:8090")
		s.Note("", "RemoveMember(10.0.0.1:8090)")
		_, one := w.cache.Get(user1)
		_, two := w.cache.Get(cart1)
		left := 0
		for member := 10; member < 20; member++ {
			if _, ok := w.cache.Get(cluster.NewClusterIdentity("user", fmt.Sprint(member))); ok {
				left++
			}
		}
		if one || two || left != 10 {
			s.Fatal(story.Failure{
				Misconception: "empties-the-cache",
				Happened:      "n1 left. user/1 and cart/1 had lived there; ten others live at ten other members.",
				Got:           fmt.Sprintf("user/1 known: %v, cart/1 known: %v, %d others known", one, two, left), Want: "false, false, 10 others",
				Lesson: "What is forgotten has to be looked up again. With everything forgotten, all callers ask at once, in the moment in which a member is missing.",
				Read:   "a-member-leaves",
			})
		}
	})
}

func TestRequest_LastsAsLongAsItsContext(t *testing.T) {
	story.Bubble(t, "A request with time left outlasts a member that is away for a while.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		away := time.Now().Add(3 * time.Second)
		s.Note("n1", "is away for 3s")
		w.deliver = func(int, *actor.PID) (any, error) {
			if time.Now().Before(away) {
				return nil, errStopped
			}
			return usualReply, nil
		}
		began := time.Now()
		reply, err := w.bounded(usualBudget)
		w.early(err, time.Since(began), usualBudget)
		if err != nil || reply != usualReply {
			s.Fatal(story.Failure{
				Happened: "n1 was away for 3s. The request had 5s.",
				Got:      fmt.Sprintf("%v, after tries at %s", err, w.when(1)), Want: "the reply, soon after 3s",
				Lesson: "A member that is away is back at any moment. Pauses that only grow miss it.",
				Read:   "the-pauses",
			})
		}
	})
}

func TestRequest_EndsWithItsContext(t *testing.T) {
	story.Bubble(t, "A request that nobody answers ends when its time is up, and says why.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.deliver = func(int, *actor.PID) (any, error) { return nil, errStopped }
		began := time.Now()
		_, err := w.bounded(2 * time.Second)
		took := time.Since(began)
		w.early(err, took, 2*time.Second)
		if took != 2*time.Second || errors.Is(err, errEndless) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, actor.ErrStopped) {
			s.Fatal(story.Failure{
				Misconception: "retries-for-ever",
				Happened:      "user/1 was stopped wherever it was looked for. The request had 2s.",
				Got:           fmt.Sprintf("after %v: %v", took.Round(time.Millisecond), err), Want: "after 2s: an error that is both context.DeadlineExceeded and actor.ErrStopped",
				Lesson: "Nobody reads the answer any more when the caller's time is up. A pause that does not watch the context outlives it.",
				Read:   "the-budget",
			})
		}
	})
}

func TestRequest_BacksOff(t *testing.T) {
	story.Bubble(t, "The longer somebody does not answer, the less often it is asked.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.deliver = func(int, *actor.PID) (any, error) { return nil, errStopped }
		began := time.Now()
		_, err := w.bounded(usualBudget)
		_ = s.Did("Request(user/1), which is stopped", err)
		w.early(err, time.Since(began), usualBudget)
		pauses := w.pauses(1)
		first, longest := time.Duration(0), time.Duration(0)
		if len(pauses) > 0 {
			first, longest = pauses[0], slices.Max(pauses)
		}
		if tries := len(pauses) + 1; tries < 10 || tries > 60 || first > 50*time.Millisecond || longest < 4*first || longest > 300*time.Millisecond {
			s.Fatal(story.Failure{
				Misconception: "no-pause",
				Happened:      "user/1 did not answer for 5s.",
				Got:           fmt.Sprintf("%d tries, the first pause %v, the longest %v", tries, first.Round(time.Microsecond), longest.Round(time.Microsecond)),
				Want:          "10 to 60 tries, the first pause at most 50ms, the longest at least four times that, and at most 300ms",
				Lesson:        "Whoever is overloaded is not helped by callers that ask without pause; and whoever is back after a moment should not be kept waiting. Begin quickly, then slow down.",
				Read:          "the-pauses",
			})
		}
	})
}

func TestRequest_ACrowdComesBackApart(t *testing.T) {
	story.Bubble(t, "A hundred that failed at the same instant do not come back at the same instant.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.deliver = func(nth int, _ *actor.PID) (any, error) {
			if nth <= 101 {
				return nil, errStopped
			}
			return usualReply, nil
		}
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() { _, _ = w.request(usualBudget) })
		}
		callers.Wait()
		instants := make(map[time.Duration]int)
		for _, at := range w.tries[min(101, len(w.tries)):] {
			instants[at]++
		}
		together := 0
		for _, n := range instants {
			together = max(together, n)
		}
		if again := len(w.tries) - 101; again != 100 || together > 50 {
			s.Fatal(story.Failure{
				Misconception: "in-step",
				Happened:      "A hundred requests failed at the same instant, because their member was gone.",
				Got:           fmt.Sprintf("%d came back, %d of them at one instant", again, together), Want: "100 came back, each when it likes",
				Lesson: "Callers that failed together and wait equally long come back together, and together they are what they ran into. Leave some of the pause to chance.",
				Read:   "the-pauses",
			})
		}
	})
}

func TestRequest_WaitsAsLongAsItIsTold(t *testing.T) {
	story.Bubble(t, "Whoever is told to come back in 2s does not come back before.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		busy := &actor.RejectedError{Reason: fmt.Errorf("%w: the lease of n1 is not over", actor.ErrNotDelivered), RetryAfter: 2 * time.Second}
		s.Note("n2", "refuses for 2s")
		w.deliver = func(nth int, _ *actor.PID) (any, error) {
			if nth == 2 {
				return nil, fmt.Errorf("from n2: %w", busy)
			}
			return usualReply, nil
		}
		reply, err := w.request(usualBudget)
		pauses := w.pauses(1)
		if err != nil || reply != usualReply || len(pauses) != 1 || pauses[0] < 2*time.Second || pauses[0] > 2500*time.Millisecond {
			s.Fatal(story.Failure{
				Misconception: "asks-again-too-soon",
				Happened:      "n2 refused the request, with RetryAfter 2s.",
				Got:           fmt.Sprintf("%v, error %v, after pauses of %v", reply, err, pauses), Want: "the reply, after one pause of little more than 2s",
				Lesson: "A member that says when it will be ready has counted: a lease runs out then, not before. Asking meanwhile is noise.",
				Read:   "the-pauses",
			})
		}
	})
}

func TestRequest_AnUnknownOutcomeIsTheCallers(t *testing.T) {
	story.Bubble(t, "What may have been executed is not sent again behind the caller's back.", func(t *testing.T, s *story.Story) {
		s.Untimed()
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.deliver = func(nth int, _ *actor.PID) (any, error) {
			if nth == 2 {
				s.Note("n1", "takes 10 from user/1; the answer is lost")
				return nil, errUnknown
			}
			return usualReply, nil
		}
		_, err := w.request(usualBudget)
		wrong := story.Failure{
			Misconception: "retries-the-unknown",
			Happened:      "The message was delivered, and no answer came.",
			Got:           fmt.Sprintf("%d deliveries, error %v", len(w.tries)-1, err), Want: "1 delivery, and an error that is actor.ErrUnknownOutcome",
			Lesson: "Sent again, it may be executed twice. Only the caller knows whether that is harmless; so it has to know that it might.",
			Read:   "what-nobody-knows",
		}
		if !errors.Is(err, actor.ErrUnknownOutcome) || len(w.tries) != 2 {
			s.Fatal(wrong)
		}
		w.works("The next request came in better times.")
		w.counts(2, 3, story.Failure{
			Happened: "The answer to a request to n1 was lost. Another request was made later.",
			Lesson:   "A member that does not answer may be gone for good. A PID is good as long as somebody answers there.",
			Read:     "what-nobody-knows",
		})
	})
}

func TestRequest_AnErrorMayBeAnAnswer(t *testing.T) {
	story.Bubble(t, "An actor that answers with an error has answered.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		w.deliver = func(int, *actor.PID) (any, error) { return nil, errOwn }
		reply, err := w.request(usualBudget)
		_ = s.Did("Request(user/1), which is frozen", err)
		if !errors.Is(err, errOwn.Err) || reply != nil {
			s.Fatal(story.Failure{Happened: "The actor replied with an error.", Got: fmt.Sprint(reply, ", ", err), Want: errOwn, Lesson: "The actor's error is for the caller.", Read: "what-nobody-knows"})
		}
		w.deliver = func(int, *actor.PID) (any, error) { return usualReply, nil }
		w.works("The account is not frozen any more.")
		w.counts(1, 3, story.Failure{
			Misconception: "an-answer-is-a-failure",
			Happened:      "user/1 replied with an error, to one of three requests.",
			Lesson:        "It lives where it was thought to live, or it could not have replied. There is nothing to look up, and nothing to send again.",
			Read:          "what-nobody-knows",
		})
		refused := errors.New("cluster: kind is not registered")
		w.cache.RemoveMember("10.0.0.1:8090")
		w.locate = func(int) (*actor.PID, error) { return nil, refused }
		began := time.Now()
		if _, err := w.request(usualBudget); !errors.Is(err, refused) || time.Since(began) > 0 {
			s.Fatal(story.Failure{Happened: "The router said what is wrong, and that was no actor.ErrNotDelivered.", Got: err, Want: refused, Lesson: "What waiting does not mend is told at once.", Read: "what-nobody-knows"})
		}
	})
}

// What is not guaranteed: that what was just put in is not old already.
func TestLedger_ALateAnswerBringsALeaverBack(t *testing.T) {
	story.Seeds(t, 10, "A look-up that began before a member left brings its PID back into the cache.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		w := newWorld(t, s)
		w.works("Nothing went wrong, and Request failed.")
		leaver := 1 + rng.IntN(3)
		w.cache.RemoveMember(at(1, "").Address)
		w.locate = func(int) (*actor.PID, error) {
			s.Note("", "somebody looks for user/1: n%d has it", leaver)
			<-time.After(time.Duration(10+rng.IntN(90)) * time.Millisecond)
			return at(leaver, "user/1"), nil
		}
		var caller sync.WaitGroup
		caller.Go(func() { _, _ = w.request(usualBudget) })
		testkit.Advance(time.Millisecond)
		w.cache.RemoveMember(at(leaver, "").Address)
		s.Note("", "n%d leaves: RemoveMember", leaver)
		caller.Wait()
		pid, ok := w.cache.Get(user1)
		s.Note("", "the cache says: %v", pid)
		if !ok || !pid.Equal(at(leaver, "user/1")) {
			s.Fatal(story.Failure{
				Happened: "The answer came after the member had left, and was not put into the cache.", Got: pid, Want: at(leaver, "user/1"),
				Lesson: "A cache without epochs cannot know that an answer is late.", Read: "what-this-does-not-guarantee",
			})
		}
	})
}

var _ pidcache.Router = (*world)(nil)
