package actor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Hello asks a greeter to greet.
type Hello struct{ Name string }

// greeter counts whom it has greeted; no lock is needed for that.
type greeter struct{ greeted int }

func (g *greeter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *Hello:
		g.greeted++
		ctx.Respond(fmt.Sprintf("Hello %s, you are number %d", m.Name, g.greeted))
	case *actor.Stopping:
		fmt.Println("goodbye")
	}
}

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	system := actor.NewSystem()
	pid := system.Spawn(actor.PropsFromProducer(func() actor.Actor { return &greeter{} }))

	for _, name := range []string{"Ann", "Bob"} {
		greeting, err := actor.Ask[string](ctx, system, pid, &Hello{Name: name})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(greeting)
	}
	if err := system.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Hello Ann, you are number 1
	// Hello Bob, you are number 2
	// goodbye
}

// errCorrupt is a failure after which the worker's state is not to be trusted.
var errCorrupt = errors.New("corrupt state")

// A supervisor decides by the failure: a worker whose state is corrupt starts
// afresh, any other goes on as it is.
func ExampleStrategy() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	worker := actor.PropsFromProducer(func() actor.Actor {
		sum := 0 // the state of one instance
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case int:
				sum += m
				ctx.Respond(sum)
			case error:
				panic(m)
			}
		})
	})
	supervisor := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			_, _ = ctx.SpawnNamed(worker, "worker")
		case int, error:
			ctx.Forward(ctx.Children()[0])
		}
	}, actor.WithSupervisor(actor.Strategy{
		MaxRestarts: 3, // in a minute; a fourth failure stops the worker
		Within:      time.Minute,
		Decide: func(reason error) actor.Directive {
			if errors.Is(reason, errCorrupt) {
				return actor.DirectiveRestart
			}
			return actor.DirectiveResume
		},
	}))

	system := actor.NewSystem(actor.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	defer func() { _ = system.Shutdown(ctx) }()
	pid := system.Spawn(supervisor)
	for _, message := range []any{1, 2, errors.New("hiccup"), 3, errCorrupt, 4} {
		reply, err := system.Ask(ctx, pid, message)
		fmt.Println(message, "->", reply, err)
	}
	// Output:
	// 1 -> 1 <nil>
	// 2 -> 3 <nil>
	// hiccup -> <nil> actor: handler panicked: hiccup
	// 3 -> 6 <nil>
	// corrupt state -> <nil> actor: handler panicked: corrupt state
	// 4 -> 4 <nil>
}
