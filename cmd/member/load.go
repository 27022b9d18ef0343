package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/cmd/internal/ledger"
	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	loadPause    = time.Second            // between two requests of one user, give or take half of it
	loadAgain    = 100 * time.Millisecond // after one that failed
	loadPatience = time.Second            // with one request
)

// load asks users again and again, each in a goroutine of its own, in turns for a
// visit and to record the next number, and has a witness take down what they say.
type load struct {
	node    *cluster.Cluster
	witness *witness.Witness
}

// run asks n users, named 1 to n, until ctx ends, and returns when all have been
// heard.
func (l *load) run(ctx context.Context, n int) {
	var asking sync.WaitGroup
	for i := range n {
		asking.Go(func() { l.ask(ctx, fmt.Sprint(i+1)) })
	}
	asking.Wait()
}

// ask asks one user, at times of its own, so that all ask evenly.
func (l *load) ask(ctx context.Context, user string) {
	next := time.NewTimer(rand.N(loadPause))
	defer next.Stop()
	acknowledged := int64(0)
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		pause := loadPause/2 + rand.N(loadPause)
		number, err := l.once(ctx, user, acknowledged, turn%2 == 1)
		if acknowledged = number; err != nil {
			pause, turn = loadAgain, turn-1 // the same again
		}
		next.Reset(pause)
	}
}

// once makes one request, and returns the last number that is acknowledged by
// then.
func (l *load) once(ctx context.Context, user string, acknowledged int64, write bool) (int64, error) {
	id := cluster.Identity{Kind: "user", Identity: user}
	within, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	var message any = &userpb.Visit{}
	if write {
		message = &userpb.Record{Number: acknowledged + 1}
	}
	sent := time.Now()
	reply, err := cluster.Request[*userpb.Visited](within, l.node, id, message)
	if ctx.Err() != nil {
		return acknowledged, ctx.Err()
	}
	if err != nil {
		l.witness.Failed(user, sent, outcome(err))
		return acknowledged, err
	}
	claim := ledger.Claim{
		User: user, Member: reply.GetMember(), Activation: reply.GetActivation(),
		Epoch: reply.GetToken().GetEpoch(), Counter: reply.GetToken().GetCounter(),
	}
	l.witness.Answered(sent, witness.Answer{Claim: claim, Recorded: reply.GetRecorded()}, write)
	return max(acknowledged, reply.GetRecorded()), nil
}

// outcome is what is known after a failure.
func outcome(err error) witness.Outcome {
	switch {
	case errors.Is(err, actor.ErrUnknownOutcome):
		return witness.Unknown
	case errors.Is(err, actor.ErrNotDelivered):
		return witness.NotExecuted
	}
	return witness.Refused
}
