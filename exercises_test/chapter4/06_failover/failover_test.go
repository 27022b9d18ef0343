package failover_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestFailover_ReachableAgain(t *testing.T) {
	story.Seeds(t, 30, "A term after the others hear that a member is gone, all that it hosted is reachable through each of them.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 4)
			w.starts()
			victim := w.host(w.accounts[r.IntN(len(w.accounts))])
			w.Run(w.Since() + time.Duration(r.Int64N(int64(time.Second))))
			w.kill(victim.proc.Name, time.Minute)
			killed := w.Since()
			w.Run(killed + patience + tick + beat)
			heard := w.Since()
			w.Run(heard + term)
			w.reachable(victim)
			for _, a := range w.accounts {
				if gap := a.gap(killed, heard+term); victim.active[a.id] == nil && gap > term/2 {
					s.Fatal(story.Failure{
						Misconception: "stops-the-world",
						Happened:      fmt.Sprintf("%s did not live on %s, which was killed, and was served by nobody for %v.", a.id, victim.id, gap),
						Lesson:        "Only what the vanished member owned may be active there.", Read: "whose-lease",
					})
				}
			}
		})
}

// reachable fails unless each account is reachable through each member that is
// left.
func (w *world) reachable(victim *node) {
	type asked struct {
		through *node
		of      *account
		outcome func() error
	}
	var all []asked
	for i, name := range []string{"n1", "n2", "n3"} {
		for _, a := range w.accounts {
			if n := w.now(name); n != victim {
				all = append(all, asked{n, a, w.ask(n, a, -1-i)})
			}
		}
	}
	w.Run(w.Since() + giveUp)
	for _, q := range all {
		err := q.outcome()
		if err == nil {
			continue
		}
		f := story.Failure{
			Misconception: "waits-for-ever",
			Happened:      fmt.Sprintf("%s was killed, and all know that since a term ago. %s was asked for %s.", victim.id, q.through.id, q.of.id),
			Got:           err, Want: "an answer",
			Lesson: "By now the lease of the killed member is over, even if it was only paused.", Read: "whose-lease",
		}
		if q.through.cache[q.of.id] == victim.id {
			f.Misconception, f.Read = "nobody-re-asks", "gone"
			f.Lesson = fmt.Sprintf("%s still has in its cache that the account lives on %s, and asks there. Change has to name who is gone.", q.through.id, victim.id)
		}
		w.s.Fatal(f)
	}
}

func TestFailover_WhoWakesRefuses(t *testing.T) {
	story.Seeds(t, 30, "A member that was paused goes on if its lease is good, and refuses to act if it is over.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 1)
			w.starts()
			a := w.accounts[0]
			host := w.host(a)
			other := w.now(map[string]string{"n1": "n2", "n2": "n3", "n3": "n1"}[host.proc.Name])
			activation := host.active[a.id]

			w.pause(host.proc.Name, patience/3)
			w.Run(w.Since() + patience/3 + 2*giveUp)
			short := w.ask(other, a, -1)
			w.Run(w.Since() + giveUp)
			if err := short(); err != nil || host.active[a.id] != activation {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("%s was paused for %v only, and then asked for %s, which lives there.", host.id, patience/3, a.id),
					Got:      err, Want: "an answer of the activation that was there before",
					Lesson: "A pause shorter than the lease does no harm. Whoever still has the right may go on.", Read: "leases",
				})
			}

			lasting := term + time.Duration(r.Int64N(int64(term)))
			w.pause(host.proc.Name, lasting)
			w.Run(w.Since() + lasting/2)
			other.cache[a.id] = host.id // as it was, before anybody heard that host is gone
			long := w.ask(other, a, -2)
			s.Note(other.proc.Name, "asks %s for %s", host.id, a.id)
			w.Run(w.Since() + lasting/2 + giveUp)
			w.kept()
			if err := long(); !errors.Is(err, actor.ErrNotDelivered) || slices.Contains(w.database[a.id], -2) {
				s.Fatal(story.Failure{
					Misconception: "same-epoch-is-enough",
					Happened:      fmt.Sprintf("%s was paused for %v. The first thing that it did when it woke was to serve %s.", host.id, lasting, a.id),
					Got:           fmt.Sprint("error ", err), Want: "an actor.ErrNotDelivered",
					Lesson: "It had heard of nothing newer. Only the clock could tell it that its lease was over.", Read: "leases",
				})
			}
		})
}

func TestFailover_OneActivationAtATime(t *testing.T) {
	story.Seeds(t, 200, "Whatever is killed, paused or cut off, an identity is active on one member at a time, and nothing acknowledged is lost.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 3)
			w.starts()
			quiet := w.nemesis(r) + term + 2*time.Second
			w.Run(quiet + time.Second)
			w.kept()
			w.serving(quiet, quiet+time.Second, story.Failure{
				Misconception: "waits-for-ever", Happened: "All faults are over.",
				Lesson: "Once every old lease is over, nothing is left to wait for.", Read: "leases",
			})
		})
}

// What is not guaranteed: a lease is asked for before a write is sent, and the
// database does not know of it.
func TestLedger_AWriteUnderWay(t *testing.T) {
	const late = 5 * time.Second
	story.Seeds(t, 10, "A write that was sent in time, and arrives after the failover, undoes what was acknowledged since.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 1)
			w.starts()
			a := w.accounts[0]
			host := w.host(a)
			if !failover.MayActivate(time.Now(), host.lease, host.heard) {
				s.Fatal(story.Failure{Happened: "A member that has a lease may not act.", Lesson: "It may, as long as it lasts.", Read: "leases"})
			}
			s.Note(host.proc.Name, "has a lease, sends a write")
			write := append(slices.Clone(host.active[a.id].deposits), -1)
			w.kill(host.proc.Name, time.Minute)
			w.At(w.Since()+late-giveUp, w.client.Kill)
			w.At(w.Since()+late, func() {
				s.Note("database", "the write arrives")
				w.database[a.id] = write
			})
			w.Run(w.Since() + late + time.Second)
			if lost := w.lost(); lost != "" {
				s.Note("", "%s", lost)
				return
			}
			s.Fatal(story.Failure{
				Happened: "A late write of a killed member took nothing back.",
				Lesson:   "The database cannot tell the late write from a good one.", Read: "what-this-does-not-guarantee",
			})
		})
}
