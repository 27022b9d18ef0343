package automanaged_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Two members of one process find each other through their provider. In
// processes of their own they would have automanaged.New("127.0.0.1:6330").
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	hello := cluster.NewKind("hello", actor.PropsFromFunc(func(ctx actor.Context) {
		if name, ok := ctx.Message().(string); ok {
			ctx.Respond("Hello, " + name)
		}
	}))
	config := cluster.Configure("MyCluster",
		automanaged.NewWithLease(func() string { return "127.0.0.1:0" }),
		disthash.New(),
		remote.Configure("127.0.0.1", 0),
		cluster.WithKinds(hello))
	one := cluster.New(actor.NewSystem(), config)
	two := cluster.New(actor.NewSystem(), config)
	for _, c := range []*cluster.Cluster{one, two} {
		if err := c.Join(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}

	fmt.Println(len(two.View().Members), "members")
	fmt.Println(cluster.Request[string](ctx, one, hello.ID("user123"), "Proto"))
	fmt.Println(errors.Join(one.Leave(ctx), two.Leave(ctx)))
	// Output:
	// 2 members
	// Hello, Proto <nil>
	// <nil>
}
