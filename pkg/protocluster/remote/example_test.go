package remote_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

type Greet struct{ Name string }

// Two nodes, here in one process: an actor on the second greets whoever asks
// from the first.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	config := remote.Configure("127.0.0.1", 0, remote.WithTypes(Greet{}))
	greeter := actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(Greet); ok {
			ctx.Respond("Hello, " + m.Name + "!")
		}
	})

	here, there := actor.NewSystem(), actor.NewSystem()
	a := remote.New(here, config)
	b := remote.New(there, config.With(remote.WithKinds(map[string]*actor.Props{"greeter": greeter})))
	if err := errors.Join(a.Start(ctx), b.Start(ctx)); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = errors.Join(a.Stop(ctx), b.Stop(ctx), here.Shutdown(ctx), there.Shutdown(ctx)) }()

	pid, err := a.Spawn(ctx, remote.Instance{Address: b.Address(), Kind: "greeter", Name: "gopher"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(actor.Ask[string](ctx, here, pid, Greet{"world"}))
	// Output: Hello, world! <nil>
}
