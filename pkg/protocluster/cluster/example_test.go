package cluster_test

import (
	"context"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// A virtual actor is there when somebody asks it something.
func Example() {
	users := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if name, ok := ctx.Message().(string); ok {
			id, _ := cluster.IdentityOf(ctx)
			ctx.Respond(fmt.Sprintf("hello %s, this is %s", name, id))
		}
	}))
	agent := test.NewInMemAgent() // where the members of this process meet
	config := cluster.Configure("shop", test.NewTestProvider(agent), disthash.New(),
		remote.Configure("127.0.0.1", 0), cluster.WithKinds(users))

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	member, client := cluster.New(actor.NewSystem(), config), cluster.New(actor.NewSystem(), config)
	fmt.Println("join:", member.Join(ctx))
	fmt.Println("connect:", client.Connect(ctx))

	reply, err := cluster.Request[string](ctx, client, users.ID("123"), "Ann")
	fmt.Println(reply, err)

	fmt.Println("leave:", client.Leave(ctx), member.Leave(ctx))
	// Output:
	// join: <nil>
	// connect: <nil>
	// hello Ann, this is user/123 <nil>
	// leave: <nil> <nil>
}
