package failover_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

const (
	pace   = 250 * time.Millisecond // between two deposits of a client
	giveUp = 250 * time.Millisecond // a client waits so long for an answer
	again  = 30 * time.Millisecond  // it looks again after so long if nobody says for how long
)

// deposit makes the next deposit to an account, and others after that.
func (w *world) deposit(a *account) {
	a.last++
	w.try(a, a.last)
}

// try sends a deposit to any process that runs. What was certainly not executed is sent
// again; what may have been is left alone.
func (w *world) try(a *account, deposit int) {
	next := func(d time.Duration, f func()) { w.client.After(d, f) }
	up := slices.DeleteFunc([]string{"n1", "n2", "n3"}, func(name string) bool { return !w.now(name).proc.Running() })
	entry := w.now(up[a.choice.IntN(len(up))])
	answered := false
	next(giveUp, func() {
		if !answered {
			answered = true
			w.deposit(a)
		}
	})
	w.client.Send(entry.proc, func() {
		entry.request(a.id, deposit, func(err error) {
			entry.proc.Send(w.client, func() {
				if answered {
					return
				}
				answered = true
				rejected, _ := errors.AsType[*actor.RejectedError](err)
				switch {
				case err == nil:
					a.acked = append(a.acked, ack{deposit, w.Since()})
					next(pace, func() { w.deposit(a) })
				case rejected != nil:
					next(rejected.RetryAfter, func() { w.try(a, deposit) })
				default:
					next(again, func() { w.try(a, deposit) })
				}
			})
		})
	})
}

// gap returns the longest time without an acknowledged deposit in a part of the
// run.
func (a *account) gap(from, to time.Duration) (longest time.Duration) {
	last := from
	for _, k := range a.acked {
		if k.at > from && k.at < to {
			longest, last = max(longest, k.at-last), k.at
		}
	}
	return max(longest, to-last)
}

// ask has n pass a deposit on, and returns what becomes of it in time.
func (w *world) ask(n *node, a *account, deposit int) (outcome func() error) {
	err := errLost
	n.request(a.id, deposit, func(e error) { err = e })
	return func() error { return err }
}

// errLost is what becomes of a request that nobody answers.
var errLost = fmt.Errorf("no answer within %v: %w", giveUp, actor.ErrUnknownOutcome)

// serving fails unless all accounts were served in a part of the run.
func (w *world) serving(from, to time.Duration, f story.Failure) {
	for _, a := range w.accounts {
		if gap := a.gap(from, to); gap >= to-from {
			f.Happened = fmt.Sprintf("%s Nobody served %s from %.3fs to %.3fs.", f.Happened, a.id, from.Seconds(), to.Seconds())
			for _, n := range w.nodes {
				if at := n.cache[a.id]; n.proc.Running() && at != "" && w.node(at).proc.Killed() {
					f.Misconception, f.Read = "nobody-re-asks", "gone"
					f.Lesson = fmt.Sprintf("%s goes on asking %s, which was killed. Change has to name who is gone.", n.id, at)
				}
			}
			w.s.Fatal(f)
		}
	}
}

// starts runs until all accounts are served, for the first time.
func (w *world) starts() {
	id := w.accounts[0].id
	w.Run(begun + time.Second)
	for _, a := range w.accounts {
		if len(a.acked) == 0 {
			n := w.now("n1")
			w.s.Need(failover.New(owner, term).Admit(time.Now(), failover.Lease{}, id), story.Failure{})
			w.s.Fatal(story.Failure{
				Misconception: "waits-for-ever",
				Happened:      fmt.Sprintf("The cluster of three has begun, with leases, and nobody serves %s.", a.id),
				Got:           fmt.Sprintf("MayActivate on n1: %v; Admit on n1: %v", n.acts(), n.gate.Admit(time.Now(), n.lease, a.id)),
				Want:          "an activation once the first term is over",
				Lesson:        "A gate that never opens is safe, and of no use.", Read: "what-to-write",
			})
		}
	}
}
