//go:build integration

package integration_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// running is a load under way.
type running struct {
	load

	node  *node
	end   context.CancelFunc
	users sync.WaitGroup

	mu    sync.Mutex
	asked map[string]int // reads and writes, by identity
	total loaded
}

// start begins a load, which stop ends.
func (n *node) start(ctx context.Context, l load) *running {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{load: l, node: n, end: cancel, asked: make(map[string]int)}
	for i := range l.Users {
		r.users.Go(func() {
			for ctx.Err() == nil {
				r.request(context.WithoutCancel(ctx), i)
				background.Sleep(ctx, time.Duration(rand.ExpFloat64()*float64(l.Pause)))
			}
		})
	}
	return r
}

// stop has every user finish its request.
func (r *running) stop() *loaded {
	r.end()
	r.users.Wait()
	return &r.total
}

// request makes one request of one user.
func (r *running) request(ctx context.Context, user int) {
	o := referee.Operation{Client: user, Verb: referee.Burn, Value: r.Burn}
	o.Identity = r.pick(user)
	if r.Burn == 0 {
		o.Verb = r.verb(o.Identity)
		o.Value = 1 + rand.Int64N(1<<50) // no other write has it
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	var options []cluster.CallOption
	if r.Retry {
		options = append(options, cluster.Idempotent())
	}
	r.node.operate(ctx, &o, options...)
	if o.Verb != referee.Burn {
		_ = r.node.desk.Operated(o) // without the referee there is no test
	}
	r.count(o)
}

// pick is one of the user's own identities: who waits for one keeps nobody from
// asking others.
func (r *running) pick(user int) string {
	own := max(1, len(r.Identities)/r.Users)
	return r.Identities[(user+rand.IntN(own)*r.Users)%len(r.Identities)]
}

// verb picks what to ask of an identity: of reads and writes only so many.
func (r *running) verb(identity string) referee.Verb {
	verb := [...]referee.Verb{referee.Count, referee.Read, referee.Write}[rand.IntN(3)]
	r.mu.Lock()
	defer r.mu.Unlock()
	if verb != referee.Count && r.asked[identity] == r.Most {
		return referee.Count
	} else if verb != referee.Count {
		r.asked[identity]++
	}
	return verb
}

func (r *running) count(o referee.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch o.Outcome {
	case referee.Answered:
		r.total.Answered++
		r.total.Latencies = append(r.total.Latencies, o.Came-o.Sent)
	case referee.NotExecuted:
		r.total.NotExecuted++
	case referee.Refused:
		r.total.Refused++
	case referee.Unknown:
		r.total.Unknown++
	}
}

// operate makes a request and completes o.
func (n *node) operate(ctx context.Context, o *referee.Operation, options ...cluster.CallOption) {
	id := cluster.Identity{Kind: probeKind, Identity: o.Identity}
	o.Sent = referee.Now()
	answer, err := cluster.Request[*told](ctx, n.cluster, id, &ask{o.Verb, o.Value}, options...)
	o.Came = referee.Now()
	switch {
	case err == nil && answer.Activation.Identity != o.Identity:
		o.Outcome, o.Error = referee.Misrouted, answer.Activation.String()+" of "+answer.Activation.Identity+" answered"
	case err == nil:
		o.Activation, o.Value, o.Error = answer.Activation, answer.Value, answer.Fault
		o.Outcome = referee.Answered
		if answer.Stale {
			o.Outcome = referee.Refused
		} else if answer.Fault != "" {
			o.Outcome = referee.Unknown
		}
	case errors.Is(err, actor.ErrNotDelivered):
		o.Outcome, o.Error = referee.NotExecuted, err.Error()
	default:
		o.Outcome, o.Error = referee.Unknown, err.Error()
	}
}

// sweep asks all identities at once, each until it has answered.
func (n *node) sweep(ctx context.Context, s sweep) *swept {
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	var mu sync.Mutex
	result := &swept{Activations: make(map[string]string), Errors: make(map[string]string)}
	var asking sync.WaitGroup
	for _, identity := range s.Identities {
		asking.Go(func() {
			o := referee.Operation{Verb: referee.Count}
			o.Identity = identity
			for n.operate(ctx, &o, cluster.Idempotent()); o.Outcome != referee.Answered && ctx.Err() == nil; {
				n.operate(ctx, &o, cluster.Idempotent())
			}
			mu.Lock()
			defer mu.Unlock()
			if o.Outcome != referee.Answered {
				result.Errors[identity] = o.Error
				return
			}
			result.Activations[identity] = o.Name
			result.Last = max(result.Last, o.Came)
		})
	}
	asking.Wait()
	return result
}
