package state_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	state "github.com/protocluster/workshop/chapters/chapter4/10_state"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestApply_AddsUp(t *testing.T) {
	story.Bubble(t, "What was deposited is in the account, for this activation and for the next.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		sum := story.Failure{Happened: "The balance is not the sum of the deposits, or the version not their number.", Lesson: "Each deposit is one version, and each activation goes on where the last one was.", Read: "what-to-write"}
		first := b.open("first")
		b.gets("first", first, "r1", 10, state.Balance{Amount: 10, Version: 1}, sum)
		testkit.Advance(time.Second)
		b.gets("first", first, "r2", 5, state.Balance{Amount: 15, Version: 2}, sum)
		testkit.Advance(time.Second)
		b.gets("first", first, "r3", -3, state.Balance{Amount: 12, Version: 3}, sum)
		testkit.Advance(time.Second)
		second := b.open("second")
		b.gets("second", second, "r4", 8, state.Balance{Amount: 20, Version: 4}, sum)
	})
}

func TestApply_IsSavedBeforeItReturns(t *testing.T) {
	story.Bubble(t, "When a deposit is acknowledged, it is stored.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		a := b.open("first")
		got, err := b.deposit("first", a, "r1", 10)
		stored, _ := b.stored()
		lost := story.Failure{
			Misconception: "acknowledges-before-saving",
			Happened:      "Apply returned. In this moment the member may crash.",
			Got:           fmt.Sprintf("%+v, error %v; stored is version %d", got, err, stored.Version), Want: "the balance, and version 1 stored",
			Lesson: "The caller has your word, and nobody else has the money. An answer that comes before the save is a promise about a future that may not come.",
			Read:   "save-then-answer",
		}
		if err != nil || stored.Version != 1 {
			s.Fatal(lost)
		}
		b.script(nil, []fault{before})
		if got, err := b.deposit("first", a, "r2", 10); !errors.Is(err, errStore) || got != (state.Balance{}) {
			lost.Happened = "Save failed, and Apply does not say so."
			lost.Got, lost.Want = fmt.Sprintf("%+v, error %v", got, err), "no balance, and the store's error"
			s.Fatal(lost)
		}
	})
}

func TestApply_TheSameRequestIsExecutedOnce(t *testing.T) {
	story.Bubble(t, "A deposit that is sent again is executed once, and answered as it was the first time.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		first := b.open("first")
		want := state.Balance{Amount: 10, Version: 1}
		f := story.Failure{Happened: "The first deposit was refused.", Lesson: "Nothing is wrong yet.", Read: "what-to-write"}
		b.gets("first", first, "r1", 10, want, f)
		b.gets("first", first, "r2", 5, state.Balance{Amount: 15, Version: 2}, f)
		b.gets("first", first, "r1", 10, want, story.Failure{
			Misconception: "executes-each-copy",
			Happened:      "The answer to r1 was lost on its way, and its caller sent r1 again, to the same activation.",
			Lesson:        "Whoever got no answer has to ask again, and cannot know whether it was heard. It is you who can tell the second copy from a second deposit.",
			Read:          "once",
		})
		second := b.open("second")
		b.gets("second", second, "r1", 10, want, story.Failure{
			Misconception: "remembers-in-memory",
			Happened:      "The answer to r1 was lost because the member crashed. Its caller sent r1 again, to the next activation.",
			Lesson:        "Copies come when something has crashed, which is when memory is gone. What was executed has to be remembered where the balance is, and saved with it.",
			Read:          "once",
		})
	})
}

func TestApply_NotBeforeItIsLoaded(t *testing.T) {
	story.Bubble(t, "The first deposit is added to what is stored.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		b.gets("first", b.open("first"), "r1", 100, state.Balance{Amount: 100, Version: 1}, story.Failure{Happened: "The first deposit was refused.", Lesson: "Nothing is wrong yet.", Read: "what-to-write"})
		second := state.NewAccount(savings, b.store)
		b.gets("second", second, "r2", 10, state.Balance{Amount: 110, Version: 2}, story.Failure{
			Misconception: "loads-after-the-first-message",
			Happened:      "A deposit of 10 came for an account that was not loaded yet. 100 were stored.",
			Lesson:        "Before it is loaded, an account has nothing to add to. The message waits for the state, not the state for the message.",
			Read:          "load-first",
		})
	})
}

func TestLoad_AnErrorIsNoEmptyAccount(t *testing.T) {
	story.Bubble(t, "An account that could not be loaded is unknown, and not empty.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		b.gets("first", b.open("first"), "r1", 100, state.Balance{Amount: 100, Version: 1}, story.Failure{Happened: "The first deposit was refused.", Lesson: "Nothing is wrong yet.", Read: "what-to-write"})
		empty := story.Failure{
			Misconception: "an-error-is-an-empty-account",
			Lesson:        "No answer and an empty answer are two things. Who takes one for the other begins a rich account at zero.",
			Read:          "load-first",
		}
		check := func(happened string, a *state.Account, want error) {
			t.Helper()
			_, saves := b.stored()
			got, err := b.deposit("second", a, "r2", 10)
			if _, now := b.stored(); err == nil || now != saves || want != nil && !errors.Is(err, want) {
				empty.Happened, empty.Got = happened, fmt.Sprintf("%+v, error %v; Save was called %d times", got, err, now-saves)
				empty.Want = "an error, and no Save"
				s.Fatal(empty)
			}
		}
		second := state.NewAccount(savings, b.store)
		b.script([]fault{before, before}, nil)
		if err := s.Did("Load", second.Load(t.Context())); !errors.Is(err, errStore) {
			s.Fatal(story.Failure{Misconception: empty.Misconception, Happened: "The store did not answer, and Load does not say so.", Got: err, Want: errStore, Lesson: empty.Lesson, Read: empty.Read})
		}
		check("The store did not answer, neither for Load nor when a deposit came.", second, errStore)
		empty.Happened = "The store did not answer for a while. Then it did, and a deposit came."
		b.gets("second", second, "r2", 10, state.Balance{Amount: 110, Version: 2}, empty)

		kept, _ := b.stored()
		b.put(state.Snapshot{Version: kept.Version, Data: []byte("<account amount=110/>")})
		s.Note("store", "somebody stores another form")
		third := state.NewAccount(savings, b.store)
		if err := s.Did("Load", third.Load(t.Context())); err == nil {
			s.Fatal(story.Failure{Misconception: empty.Misconception, Happened: "What is stored cannot be read, and Load does not say so.", Got: "no error", Want: "an error", Lesson: empty.Lesson, Read: empty.Read})
		}
		check("What is stored cannot be read. A deposit came.", third, nil)
	})
}

func TestApply_AFailedSaveAddsNothing(t *testing.T) {
	story.Bubble(t, "A deposit that was not stored is not in the account.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		a := b.open("first")
		b.script(nil, []fault{before})
		_, _ = b.deposit("first", a, "r1", 10)
		counts := story.Failure{
			Misconception: "counts-what-was-not-saved",
			Happened:      "The deposit r1 of 10 could not be saved, and its caller was told. Then came r2 of 5, and r1 again.",
			Lesson:        "Memory may know no more than the store. Make the new state beside the old one, and take it over when it is saved.",
			Read:          "save-then-answer",
		}
		b.gets("first", a, "r2", 5, state.Balance{Amount: 5, Version: 1}, counts)
		b.gets("first", a, "r1", 10, state.Balance{Amount: 15, Version: 2}, counts)
	})
}

func TestApply_AFailedSaveMayHaveHappened(t *testing.T) {
	story.Bubble(t, "When the store's answer is lost, nobody knows what is stored, so the account looks.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		a := b.open("first")
		b.gets("first", a, "r1", 10, state.Balance{Amount: 10, Version: 1}, story.Failure{Happened: "The first deposit was refused.", Lesson: "Nothing is wrong yet.", Read: "what-to-write"})
		b.script(nil, []fault{after})
		_, _ = b.deposit("first", a, "r2", 5)
		nobody := story.Failure{
			Misconception: "an-error-means-it-did-not-happen",
			Happened:      "The deposit r2 of 5 was saved, and the store's answer was lost. The caller sends r2 again.",
			Lesson:        "You asked, and heard nothing: the store may be one version ahead of you. What you hold in memory is a guess until you have looked.",
			Read:          "what-nobody-knows",
		}
		b.gets("first", a, "r2", 5, state.Balance{Amount: 15, Version: 2}, nobody)
		b.gets("first", a, "r3", 1, state.Balance{Amount: 16, Version: 3}, nobody)
	})
}

func TestApply_AStaleWriterIsRefused(t *testing.T) {
	story.Bubble(t, "An activation that is not the only one any more saves nothing.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		zombie := b.open("zombie")
		heir := b.open("heir")
		f := story.Failure{Happened: "The heir could not deposit.", Lesson: "Whoever saves first goes on.", Read: "stale"}
		b.gets("heir", heir, "r1", 10, state.Balance{Amount: 10, Version: 1}, f)
		got, err := b.deposit("zombie", zombie, "r2", 5)
		blind := story.Failure{
			Misconception: "the-last-writer-wins",
			Happened:      "A paused member woke up. Its activation of the account had loaded before the heir saved r1, and now executed r2.",
			Got:           fmt.Sprintf("%+v, error %v", got, err), Want: "no balance, and ErrStale",
			Lesson: "It acted on what it had loaded long ago. The version says so, if you say on which version yours is built, and not which one happens to be stored.",
			Read:   "stale",
		}
		if !errors.Is(err, state.ErrStale) || got != (state.Balance{}) {
			s.Fatal(blind)
		}
		b.gets("heir", heir, "r3", 1, state.Balance{Amount: 11, Version: 2}, blind)
		before, saves := b.stored()
		got, err = b.deposit("zombie", zombie, "r2", 5)
		if now, more := b.stored(); !errors.Is(err, state.ErrStale) || now.Version != before.Version || more != saves {
			s.Fatal(story.Failure{
				Misconception: "loads-again-and-goes-on",
				Happened:      "An activation was told ErrStale, and got another deposit.",
				Got:           fmt.Sprintf("%+v, error %v; it called Save %d times", got, err, more-saves), Want: "ErrStale, without a Save",
				Lesson: "ErrStale is no conflict to be solved. It says that somebody else is this account now; one that goes on makes two again.",
				Read:   "stale",
			})
		}
	})
}

func TestApply_ADepositHasARequest(t *testing.T) {
	story.Bubble(t, "A deposit that cannot be told from another one is refused.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		a := b.open("first")
		_, err := b.deposit("first", a, "", 10)
		if stored, _ := b.stored(); err == nil || stored.Version != 0 {
			s.Fatal(story.Failure{
				Misconception: "no-name-is-a-name",
				Happened:      "Two deposits come without a Request.",
				Got:           fmt.Sprintf("the first: error %v; version %d is stored", err, stored.Version), Want: "an error, and nothing stored",
				Lesson: "The second one would look like the first one come again, and be swallowed with a friendly answer.", Read: "once",
			})
		}
		b.gets("first", a, "r1", 10, state.Balance{Amount: 10, Version: 1}, story.Failure{Happened: "A deposit with a Request came after that.", Lesson: "A bad deposit harms no good one.", Read: "once"})
	})
}

func TestApply_RemembersAHundred(t *testing.T) {
	story.Bubble(t, "The last 100 requests are remembered, and a snapshot does not grow with every one.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		a := b.open("first")
		name := func(n int) string { return fmt.Sprintf("request %04d", n) }
		deposit := func(n int) {
			t.Helper()
			b.gets("first", a, name(n), 1, state.Balance{Amount: int64(n), Version: uint64(n)}, story.Failure{Happened: fmt.Sprintf("Deposit %d of 1 was not added.", n), Lesson: "Each is another request.", Read: "once"})
		}
		for n := 1; n <= 150; n++ {
			deposit(n)
		}
		then, _ := b.stored()
		for n := 151; n <= 500; n++ {
			deposit(n)
		}
		now, _ := b.stored()
		if len(now.Data) > len(then.Data)*5/4 {
			s.Fatal(story.Failure{
				Misconception: "remembers-for-ever",
				Happened:      "An account got 500 deposits.",
				Got:           fmt.Sprintf("%d bytes after 150 of them, %d after 500", len(then.Data), len(now.Data)), Want: "about the same",
				Lesson: "Every deposit writes the whole snapshot. If that holds every request there ever was, an old account becomes slow, and then too large to be saved.",
				Read:   "once",
			})
		}
		oldest := state.Balance{Amount: 401, Version: 401}
		b.gets("next", b.open("next"), name(401), 1, oldest, story.Failure{Happened: "Of 500 requests the 401st came again.", Lesson: "It is one of the last 100.", Read: "once"})
	})
}

func TestReceive_AnAccountIsAnActor(t *testing.T) {
	story.Bubble(t, "As an actor, an account loads before its first message, and ends when it is stale.", func(t *testing.T, s *story.Story) {
		b := newBank(t, s)
		heir := b.open("heir")
		b.gets("heir", heir, "r1", 100, state.Balance{Amount: 100, Version: 1}, story.Failure{Happened: "The first deposit was refused.", Lesson: "Nothing is wrong yet.", Read: "what-to-write"})
		system := actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))
		t.Cleanup(func() { _ = system.Shutdown(context.WithoutCancel(t.Context())) }) // it has nothing to wait for
		pid := system.Spawn(actor.PropsFromProducer(func() actor.Actor { return state.NewAccount(savings, b.store) }))
		ask := func(request string) (*state.Balance, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return actor.Ask[*state.Balance](ctx, system, pid, &state.Deposit{Request: request, Amount: 10})
		}
		got, err := ask("r2")
		if err != nil || *got != (state.Balance{Amount: 110, Version: 2}) {
			s.Fatal(story.Failure{
				Misconception: "loads-after-the-first-message",
				Happened:      "The first message of an actor was a deposit of 10. 100 were stored.", Got: fmt.Sprintf("%+v, error %v", got, err), Want: "{Amount:110 Version:2}",
				Lesson: "The message waits for the state, not the state for the message.", Read: "load-first",
			})
		}
		s.Note("actor", "has 110")
		other := b.open("heir")
		b.gets("heir", other, "r3", 1, state.Balance{Amount: 111, Version: 3}, story.Failure{Happened: "Another activation deposits.", Lesson: "It has loaded version 2.", Read: "stale"})
		_, err = ask("r4")
		_, late := ask("r4")
		if !errors.Is(err, actor.ErrNotDelivered) || !errors.Is(late, actor.ErrNotDelivered) {
			s.Fatal(story.Failure{
				Misconception: "the-last-writer-wins",
				Happened:      "Another activation had saved. Then the actor got a deposit, and one more.",
				Got:           fmt.Sprintf("%v, then %v", err, late), Want: "actor.ErrNotDelivered, then the same: it has stopped",
				Lesson: "A stale account has executed nothing and has nothing more to say.", Read: "stale",
			})
		}
	})
}

func TestAccount_NothingAcknowledgedIsLost(t *testing.T) {
	story.Seeds(t, 30, "Whatever crashes, wakes up or does not answer: in the end each deposit is in the account once.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		b := newBank(t, s)
		living := []*state.Account{b.open("n1")}
		begin := func() { living = append(living, state.NewAccount(savings, b.store)) }
		answers := make(map[string]state.Balance)
		all, sum := orders(rng, 60)
		for _, d := range all {
			if len(living) < 3 && rng.IntN(8) == 0 { // somebody believes that the member is gone
				begin()
			}
			for try := 1; ; try++ {
				b.script(chance(rng, before), chance(rng, before, after))
				k := rng.IntN(len(living))
				got, err := b.deposit(fmt.Sprint("n", 1+k), living[k], d.Request, d.Amount)
				if first, again := answers[d.Request]; err == nil && again && first != got {
					s.Fatal(story.Failure{Happened: d.Request + " was sent again and got another answer.", Got: fmt.Sprintf("%+v", got), Want: fmt.Sprintf("%+v", first), Lesson: "Once executed, once answered.", Read: "once"})
				}
				if err == nil {
					answers[d.Request] = got
					break
				}
				if try == 40 {
					s.Fatal(story.Failure{Happened: fmt.Sprintf("%s was tried %d times, with new activations.", d.Request, try), Got: err, Want: "a balance", Lesson: "After a failure the account has to be usable again.", Read: "what-nobody-knows"})
				}
				if errors.Is(err, state.ErrStale) || rng.IntN(4) == 0 { // it stops, or crashes
					living = append(living[:k], living[k+1:]...)
				}
				if len(living) == 0 {
					begin()
				}
			}
		}
		b.script(nil, nil)
		last := b.open("last")
		b.gets("last", last, "the end", 0, state.Balance{Amount: sum, Version: uint64(len(answers) + 1)}, story.Failure{
			Happened: fmt.Sprintf("%d deposits of %d in all were acknowledged, some of them sent again and again.", len(answers), sum),
			Lesson:   "Each is in the account once: what was acknowledged is stored, what was stored is known when it comes again, and nobody overwrites what somebody else saved.",
			Read:     "save-then-answer",
		})
	})
}

// orders are so many deposits, some of which come again later, and their sum.
func orders(rng *rand.Rand, n int) (all []state.Deposit, sum int64) {
	for i := range n {
		d := state.Deposit{Request: fmt.Sprint("r", i), Amount: int64(1 + rng.IntN(9))}
		sum += d.Amount
		all = append(all, d)
		if rng.IntN(3) == 0 {
			all = append(all, all[rng.IntN(len(all))])
		}
	}
	return all, sum
}

// chance is the script of one call: one of the faults, or none.
func chance(rng *rand.Rand, faults ...fault) []fault {
	if k := rng.IntN(10); k < len(faults) {
		return []fault{faults[k]}
	}
	return nil
}

// What is not guaranteed: that a very late copy is known.
func TestLedger_AVeryLateCopyIsExecutedAgain(t *testing.T) {
	story.Seeds(t, 5, "A deposit that comes again after a hundred others is executed again.", func(t *testing.T, s *story.Story, rng *rand.Rand) {
		b := newBank(t, s)
		a := b.open("first")
		f := story.Failure{Happened: "A deposit was not added.", Lesson: "Each is another request.", Read: "once"}
		amount := int64(10 + rng.IntN(90))
		b.gets("first", a, "r0", amount, state.Balance{Amount: amount, Version: 1}, f)
		others := 100 + rng.IntN(20)
		for n := 1; n <= others; n++ {
			b.gets("first", a, fmt.Sprint("r", n), 1, state.Balance{Amount: amount + int64(n), Version: uint64(n + 1)}, f)
		}
		got, err := b.deposit("first", a, "r0", amount)
		if want := 2*amount + int64(others); err != nil || got.Amount != want {
			s.Fatal(story.Failure{
				Happened: fmt.Sprintf("%d others came before r0 came again.", others), Got: fmt.Sprintf("%+v, error %v", got, err), Want: want,
				Lesson: "Only the last 100 are remembered.", Read: "what-this-does-not-guarantee",
			})
		}
	})
}
