package eviction_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// byIdle evicts who is idle, and nobody else.
var byIdle = eviction.Policy{Idle: idle, Sweep: sweep}

// probe is a health check, which says of itself that it is no use.
type probe struct{}

func (probe) NotInfluenceReceiveTimeout() {}

func (probe) String() string { return "a health check" }

func TestStarted_OneAfterTheOther(t *testing.T) {
	story.Bubble(t, "The next actor of an identity begins when the one before has ended, and not while it stops.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.lingers = true
		w.start(user(1))
		w.start(user(2))
		if err := s.Did("Started(user/1) again", w.Started(user(1))); err == nil {
			s.Fatal(story.Failure{Happened: "A second actor of user/1 began while the first lived.", Got: "no error", Want: "an error", Lesson: "One at a time.", Read: "one-after-the-other"})
		}
		w.pass(idle + 2*sweep)
		if err := s.Did("Started(user/1), which is being stopped", w.Started(user(1))); err == nil {
			s.Fatal(story.Failure{
				Misconception: "gone-before-it-has-ended",
				Happened:      "The actor of user/1 was being stopped, and had not ended. A second one began.",
				Got:           "no error", Want: "an error",
				Lesson: "A poison pill waits its turn, and then state is saved. Until Ended is called there is an actor, and another one would work on the same state.",
				Read:   "one-after-the-other",
			})
		}
		w.end(user(1))
		w.start(user(1))
		w.start(user(3))
		w.end(user(3)) // by itself
		w.start(user(3))
		if held := w.end(user(4)); w.Deliver(user(4), "hello") || len(held) > 0 {
			s.Fatal(story.Failure{Happened: "Something was held back for user/4, of which there is no actor.", Got: held, Want: "nothing", Lesson: "Who does not live is not being stopped.", Read: "the-gap"})
		}
		w.Handled(user(4), "hello")
	})
}

func TestRun_EvictsTheIdle(t *testing.T) {
	story.Bubble(t, "Whoever got no message for 10s is stopped, at the next sweep.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.lingers = true
		first := w.now()
		w.start(user(1))
		w.start(user(3))
		w.pass(5 * time.Second)
		second := w.now()
		w.start(user(2))
		w.use(user(3), "m")
		for range 5 {
			w.pass(5 * time.Second)
			w.use(user(3), "m")
		}
		third := w.now()
		late := story.Failure{Lesson: "Idle is the time since an actor was last used, or since it began.", Read: "who-is-idle"}
		late.Happened = fmt.Sprintf("user/1 began at %v and got no message.", first)
		w.evicted(user(1), first, late)
		late.Happened = fmt.Sprintf("user/2 began at %v and got no message.", second)
		w.evicted(user(2), second, late)
		late.Happened = "user/3 got a message every 5s."
		w.spared(user(3), late)
		w.pass(idle + sweep)
		late.Happened = fmt.Sprintf("user/3 got its last message at %v.", third)
		w.evicted(user(3), third, late)
	})
}

func TestRun_NeverMeansNever(t *testing.T) {
	story.Bubble(t, "A policy that says nothing evicts nobody.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, eviction.Policy{Sweep: sweep})
		w.start(user(1))
		w.start(user(2))
		w.pass(time.Minute)
		if got := w.whom(); got != "[]" {
			s.Fatal(story.Failure{Happened: "The policy has neither Idle nor Most.", Got: "stopped " + got, Want: "nobody stopped", Lesson: "Zero means never, and any number.", Read: "who-is-idle"})
		}
	})
}

func TestRun_NotWhileThereIsWork(t *testing.T) {
	story.Bubble(t, "Whoever has a message queued or at work is not idle, however long that takes.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.start(user(1))
		w.queue(user(1), "m1")
		w.queue(user(1), "m2")
		w.pass(3 * idle)
		waiting := story.Failure{
			Misconception: "queued-is-idle",
			Happened:      "user/1 had two messages in its queue. The first one took half a minute.",
			Lesson:        "It has not been idle for a moment. A long queue is a reason to stay, and somebody waits for the answer.",
			Read:          "who-is-idle",
		}
		w.spared(user(1), waiting)
		w.handle(user(1), "m1")
		w.pass(3 * idle)
		waiting.Happened = "user/1 had handled one of two messages, and was at work on the other."
		w.spared(user(1), waiting)
		done := w.now()
		w.handle(user(1), "m2")
		w.pass(idle - sweep)
		w.spared(user(1), story.Failure{
			Misconception: "the-work-does-not-count",
			Happened:      fmt.Sprintf("user/1 worked on a message until %v, and then had nothing to do.", done),
			Lesson:        "Idleness begins where the work ends. Counted from when the message came, whoever works long is evicted for it.",
			Read:          "who-is-idle",
		})
		w.pass(2 * sweep)
		w.evicted(user(1), done, story.Failure{Happened: fmt.Sprintf("user/1 had nothing to do from %v on.", done), Lesson: "After the work it is idle like any other.", Read: "who-is-idle"})
	})
}

func TestRun_QuietMessagesKeepNobodyAwake(t *testing.T) {
	story.Bubble(t, "Health checks and messages of an actor's own life are no use of it.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.lingers = true
		began := w.now()
		w.start(user(1))
		awake := story.Failure{
			Misconception: "everything-keeps-it-awake",
			Happened:      "user/1 got a health check each second, and a receive timeout, and nothing else.",
			Lesson:        "Somebody who asks whether you are well does not need you. If that keeps an actor alive, none is ever evicted.",
			Read:          "quiet-messages",
		}
		w.queue(user(1), probe{}) // is not handled
		for range 12 {
			w.pass(sweep)
			if w.stops() == 0 {
				w.use(user(1), probe{})
				w.use(user(1), &actor.ReceiveTimeout{})
			}
		}
		w.evicted(user(1), began, awake)
		if w.Deliver(user(1), probe{}) || len(w.end(user(1))) > 0 {
			awake.Happened = "A health check came for user/1 while it was being stopped, and was held for the next actor, which would have begun for that alone."
			s.Fatal(awake)
		}
	})
}

func TestDeliver_WhatComesInTheGapIsHeld(t *testing.T) {
	story.Bubble(t, "Messages that come while an actor is being stopped are for the next one, once, in order.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.lingers = true
		w.start(user(1))
		w.start(user(2))
		w.pass(idle + sweep)
		gap := story.Failure{
			Misconception: "a-dead-letter-in-the-gap",
			Happened:      "user/1 was being stopped when three messages came for it.",
			Lesson:        "Behind the poison pill nobody handles anything. What comes from then on has to wait outside, for whoever comes next.",
			Read:          "the-gap",
		}
		for _, m := range []string{"m1", "m2", "m3"} {
			w.pass(tick)
			s.Note("user/1", "gets %s", m)
			if !w.Deliver(user(1), m) {
				gap.Got, gap.Want = m+" goes into the queue of an actor that is being stopped", "held"
				s.Fatal(gap)
			}
		}
		other := w.Deliver(user(2), "m4")
		held := w.end(user(1))
		if gap.Got, gap.Want = fmt.Sprint(held), "[m1 m2 m3]"; gap.Got != gap.Want {
			s.Fatal(gap)
		}
		w.start(user(1))
		w.use(user(1), "m")
		w.pass(idle + sweep)
		if twice := fmt.Sprint(w.end(user(1))); twice != "[]" {
			s.Fatal(story.Failure{
				Misconception: "handed-back-twice",
				Happened:      "Three messages were handed back when the first actor of user/1 ended. Then the second one ended, for which nothing had been held.",
				Got:           twice, Want: "[]",
				Lesson: "What was given away is somebody else's. Kept as well, it is executed once more with each eviction.",
				Read:   "the-gap",
			})
		}
		if got := fmt.Sprint(other, w.end(user(2))); got != "true [m4]" {
			s.Fatal(story.Failure{Happened: "One message came for user/2 while it was being stopped.", Got: got, Want: "true [m4]", Lesson: "Each identity has its own.", Read: "the-gap"})
		}
	})
}

func TestRun_TheCapEvictsTheLeastRecentlyUsed(t *testing.T) {
	story.Bubble(t, "If more live than may, those go that nobody has used for the longest time.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, eviction.Policy{Sweep: sweep, Most: 3})
		w.lingers = true
		for n := 1; n <= 3; n++ {
			w.start(user(n))
			<-time.After(time.Millisecond)
		}
		w.pass(sweep)
		w.queue(user(2), "work")
		w.pass(sweep)
		w.use(user(1), "m")
		for n := 4; n <= 5; n++ {
			<-time.After(time.Millisecond)
			w.start(user(n))
		}
		w.pass(sweep)
		least := story.Failure{
			Misconception: "first-in-first-out",
			Happened:      "Three may live. user/1 to user/5 began in this order; then user/1 was used, before user/4 began, and user/2 is at work.",
			Got:           w.whom(), Want: "[user/3 user/1], in this order",
			Lesson: "Who began first may be the busiest of all. The best guess at who is not needed is who was not needed for the longest time.",
			Read:   "the-cap",
		}
		if !slices.Equal(w.order()[:min(2, w.stops())], []cluster.Identity{user(3), user(1)}) {
			s.Fatal(least)
		}
		w.pass(5 * sweep)
		if w.stops() > 2 {
			s.Fatal(story.Failure{
				Misconception: "counts-the-dying",
				Happened:      "Three may live, and five did. Two are being stopped, which takes five sweeps.",
				Got:           w.whom(), Want: "[user/3 user/1]",
				Lesson: "Whoever is being stopped will not be there much longer. Counted among the living, it costs another one its place.",
				Read:   "the-cap",
			})
		}
		w.start(user(6))
		w.pass(sweep)
		if got, want := w.whom(), "[user/3 user/1 user/4]"; got != want {
			s.Fatal(story.Failure{Happened: "user/2, user/4, user/5 and user/6 live, of which three may; user/2 is at work.", Got: got, Want: want, Lesson: "One more, one less.", Read: "the-cap"})
		}
	})
}

func TestRun_StopMayEndTheActorAtOnce(t *testing.T) {
	story.Bubble(t, "An actor that ends before stop returns has ended.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		for n := range 3 {
			w.start(user(n))
		}
		w.pass(idle + sweep)
		if got := w.whom(); w.stops() != 3 {
			s.Fatal(story.Failure{Happened: "Three actors were idle for 10s.", Got: got + " stopped", Want: "all three", Lesson: "Each is stopped.", Read: "stop-is-not-yours"})
		}
		for n := range 3 {
			w.start(user(n))
		}
	})
}

func TestPassivator_HasNoGoroutines(t *testing.T) {
	story.Bubble(t, "A member with a thousand actors has one goroutine that looks after them, and when it ends, nothing goes on.", func(t *testing.T, s *story.Story) {
		w := newWorld(t, s, byIdle)
		w.start(user(0))
		before := runtime.NumGoroutine()
		for n := 1; n <= 1000; n++ {
			if err := w.Started(user(n)); err != nil {
				s.Fatal(story.Failure{Happened: "An actor was refused.", Got: err, Lesson: "There are a thousand identities.", Read: "one-after-the-other"})
			}
			w.Ended(user(n))
		}
		w.pass(tick)
		if more := runtime.NumGoroutine() - before; more > 0 {
			s.Fatal(story.Failure{
				Misconception: "a-ticker-for-each",
				Happened:      "A thousand actors began and ended.",
				Got:           fmt.Sprintf("%d goroutines more than before", more), Want: "none",
				Lesson: "Whoever starts a goroutine for an actor has to end it with the actor, however that ends. One that looks after all is easier, and a thousand times cheaper.",
				Read:   "one-looks-after-all",
			})
		}
		w.cancel()
		w.pass(tick)
		select {
		case <-w.ran:
		default:
			s.Fatal(story.Failure{Happened: "The context of Run has ended, and Run has not.", Lesson: "Run belongs to its caller.", Read: "one-looks-after-all"})
		}
		w.pass(2 * idle)
		w.spared(user(0), story.Failure{
			Misconception: "a-ticker-for-each",
			Happened:      "Run had ended. Then user/0 was idle for 10s.",
			Lesson:        "Whoever has ended Run has decided that nobody is evicted any more.", Read: "one-looks-after-all",
		})
	})
}

func TestPassivator_EveryMessageIsHandledOnce(t *testing.T) {
	story.Seeds(t, 15, "With real actors that are evicted again and again, every message is handled, once, in order.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		const users, jobs = 4, 120
		h := newHost(t, s, eviction.Policy{Idle: time.Second, Sweep: 100 * time.Millisecond, Most: 3})
		s.Need(s.Did("Started(user/0)", h.passivator.Started(user(0))), story.Failure{Happened: "The first actor was refused.", Lesson: "Nobody else lives.", Read: "one-after-the-other"})
		h.passivator.Ended(user(0))
		sent := make(map[cluster.Identity]int)
		for range jobs {
			<-time.After(time.Duration(1+rng.IntN(600_000)) * time.Microsecond)
			id := user(1 + rng.IntN(users))
			sent[id]++
			h.send(job{id, sent[id], time.Duration(1+rng.IntN(150_000)) * time.Microsecond})
			s.Settle(story.Failure{
				Misconception: "stops-under-its-lock", Happened: "Somebody waits for a lock that is not given back.",
				Lesson: "Decide under the lock, act without it.", Read: "stop-is-not-yours",
			})
			if fault := h.faults(); fault != "" {
				s.Fatal(story.Failure{
					Happened: fault + ".", Lesson: "Each actor begins after the end of the one before, and gets what came meanwhile.", Read: "the-gap",
				})
			}
		}
		<-time.After(time.Minute)
		h.doing.Lock()
		defer h.doing.Unlock()
		evictions := 0
		for n := 1; n <= users; n++ {
			id := user(n)
			evictions += h.ending[id]
			if got := h.done[id]; len(got) != sent[id] || !slices.IsSorted(got) {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("%s was sent %d jobs, and was evicted %d times meanwhile.", id, sent[id], h.ending[id]),
					Got:      fmt.Sprintf("%d were done, in the order %v", len(got), got), Want: "each once, in order",
					Lesson: "Nobody should notice an eviction. What is queued is handled before the end, and what comes then by the next.", Read: "the-gap",
				})
			}
		}
		if evictions < users {
			s.Fatal(story.Failure{Happened: "Four users were idle for a minute.", Got: fmt.Sprint(evictions, " evictions"), Want: "at least four", Lesson: "Whoever is idle goes.", Read: "who-is-idle"})
		}
	})
}

// What is not guaranteed: that no more live than Most.
func TestLedger_TheCapIsNoBound(t *testing.T) {
	story.Seeds(t, 10, "Between two sweeps, and while they have work, more actors live than the policy says.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		most, started := 1+rng.IntN(3), 4+rng.IntN(4)
		w := newWorld(t, s, eviction.Policy{Sweep: sweep, Most: most})
		for n := 1; n <= started; n++ {
			w.start(user(n))
			w.queue(user(n), "work")
		}
		w.pass(10 * sweep)
		s.Note("", "10s later: %d live, %d may", started-w.stops(), most)
		if w.stops() > 0 {
			s.Fatal(story.Failure{Happened: "All had work, and somebody was stopped.", Got: w.whom(), Want: "[]", Lesson: "A cap is no reason to keep callers waiting.", Read: "what-this-does-not-guarantee"})
		}
		for n := 1; n <= started; n++ {
			w.handle(user(n), "work")
			<-time.After(time.Millisecond)
		}
		w.pass(sweep)
		if living := started - w.stops(); living != most {
			s.Fatal(story.Failure{Happened: "The work was done.", Got: fmt.Sprint(living, " live"), Want: fmt.Sprint(most, " live"), Lesson: "Who has become idle can go.", Read: "the-cap"})
		}
	})
}
