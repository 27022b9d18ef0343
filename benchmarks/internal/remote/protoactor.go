package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"

	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/peers"
)

// protoActor is a node of protoactor-go.
type protoActor struct {
	system *actor.ActorSystem
	remote *remote.Remote

	receivers, echoes []*actor.PID // of the other node
}

// mostBatchBytes lets a batch of a thousand large messages through, which is what
// waits at most; beyond gRPC's own 4 MiB it would end the stream and be lost.
const mostBatchBytes = 2<<30 - 1

func startProtoActor() *protoActor {
	system := peers.NewProtoActor()
	config := remote.Configure("127.0.0.1", 0, remote.WithServerOptions(grpc.MaxRecvMsgSize(mostBatchBytes)))
	p := &protoActor{system: system, remote: remote.NewRemote(system, config)}
	p.remote.Start()
	return p
}

func serveProtoActor(ctx context.Context, _ []string, ready func(address string)) error {
	p := startProtoActor()
	var errs []error
	for i := range receivers {
		r := new(receiver)
		_, err := p.system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *benchpb.Item:
				r.take(m)
			case *benchpb.Expect, *benchpb.Await:
				asker := ctx.Sender()
				r.obey(m, func(reply any) { p.system.Root.Send(asker, reply) })
			}
		}), fmt.Sprint(receiverName, i))
		errs = append(errs, err)
	}
	echo := actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*benchpb.Item); ok {
			ctx.Respond(m)
		}
	})
	for i := range echoes {
		_, err := p.system.Root.SpawnNamed(echo, fmt.Sprint(echoName, i))
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ready(p.system.Address())
	<-ctx.Done()
	return p.close(ctx)
}

func connectProtoActor(ctx context.Context, address string) (*protoActor, error) {
	p := startProtoActor()
	for i := range receivers {
		p.receivers = append(p.receivers, actor.NewPID(address, fmt.Sprint(receiverName, i)))
	}
	for i := range echoes {
		p.echoes = append(p.echoes, actor.NewPID(address, fmt.Sprint(echoName, i)))
	}
	_, err := p.ask(ctx, 0, &benchpb.Item{})
	return p, err
}

func (p *protoActor) order(ctx context.Context, receiver int, m any) (*benchpb.Tally, error) {
	return request[*benchpb.Tally](ctx, p.system, p.receivers[receiver], m)
}

func (p *protoActor) tell(ctx context.Context, senders, n int, payload []byte) (*benchpb.Tally, error) {
	if err := expect(ctx, p, senders, n); err != nil {
		return nil, err
	}
	var sent sync.WaitGroup
	for from := range senders {
		sent.Go(func() {
			for m := range items(from, n, payload) {
				p.system.Root.Send(p.receivers[from], m)
			}
		})
	}
	sent.Wait()
	return await(ctx, p, senders)
}

func (p *protoActor) ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	return request[*benchpb.Item](ctx, p.system, p.echoes[caller%echoes], m)
}

// close ends the connections, which a graceful end would wait for in vain.
func (p *protoActor) close(context.Context) error {
	p.remote.Shutdown(false)
	p.system.Shutdown()
	return nil
}

// request asks and waits until ctx ends, or for ten seconds.
func request[R any](ctx context.Context, system *actor.ActorSystem, to *actor.PID, m any) (R, error) {
	patience := 10 * time.Second
	if end, ok := ctx.Deadline(); ok {
		patience = time.Until(end)
	}
	reply, err := system.Root.RequestFuture(to, m, patience).Result()
	r, ok := reply.(R)
	if err == nil && !ok {
		err = fmt.Errorf("remote: reply is a %T, want a %T", reply, r)
	}
	return r, err
}
