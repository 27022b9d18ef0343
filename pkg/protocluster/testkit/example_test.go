package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func ExampleNewTestProbe() {
	system := actor.NewSystem()
	greeter := system.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if name, ok := ctx.Message().(string); ok {
			ctx.Respond("hello, " + name)
		}
	}))
	probe := testkit.NewTestProbe()
	system.Spawn(probe.Props())

	probe.Request(greeter, "Ada")
	fmt.Println(testkit.GetNextMessageOf[string](probe, time.Second))
	fmt.Println(system.Shutdown(context.Background()))
	// Output:
	// hello, Ada <nil>
	// <nil>
}

// Tests do this in a bubble, where no time is lost.
func ExampleNetwork() {
	ctx := context.Background()
	network := testkit.NewNetwork(1)
	network.Shape(testkit.Link{Latency: time.Millisecond, Jitter: time.Millisecond})

	listener, _ := network.Host("server").Listen(ctx, ":80")
	client, _ := network.Host("client").Dial(ctx, "server:80")
	server, _ := listener.Accept()

	network.Partition("client", "server")
	_, _ = io.WriteString(client, "hello")
	_ = server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := server.Read(make([]byte, 5))
	fmt.Println("during the partition:", err)

	network.HealAll()
	_ = server.SetReadDeadline(time.Time{})
	got := make([]byte, 5)
	_, err = io.ReadFull(server, got)
	fmt.Printf("after it: %s %v\n", got, err)

	network.Kill("server")
	_, err = client.Read(got)
	fmt.Println("after a kill:", errors.Is(err, syscall.ECONNRESET))
	// Output:
	// during the partition: read sim server:80->client:40000: i/o timeout
	// after it: hello <nil>
	// after a kill: true
}
