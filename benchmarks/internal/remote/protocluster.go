package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// protocluster is a node of this library.
type protocluster struct {
	system *actor.System
	remote *remote.Remote

	receivers, echoes []*actor.PID // of the other node
}

func startProtocluster(ctx context.Context) (*protocluster, error) {
	system := actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))
	p := &protocluster{system: system, remote: remote.New(system, remote.Configure("127.0.0.1", 0))}
	return p, p.remote.Start(ctx)
}

// serveProtocluster has as many echoes as the first argument says, or the usual
// number.
func serveProtocluster(ctx context.Context, args []string, ready func(address string)) error {
	n := echoes
	if len(args) > 0 {
		if _, err := fmt.Sscan(args[0], &n); err != nil {
			return fmt.Errorf("remote: %q is no number of echoes: %w", args[0], err)
		}
	}
	p, err := startProtocluster(ctx)
	if err != nil {
		return err
	}
	for i := range receivers {
		r := new(receiver)
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *benchpb.Item:
				r.take(m)
			case *benchpb.Expect, *benchpb.Await:
				r.obey(m, ctx.Respond)
			}
		})
		_, failed := p.system.SpawnNamed(props, fmt.Sprint(receiverName, i))
		err = errors.Join(err, failed)
	}
	echo := actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*benchpb.Item); ok {
			ctx.Respond(m)
		}
	})
	for i := range n {
		_, failed := p.system.SpawnNamed(echo, fmt.Sprint(echoName, i))
		err = errors.Join(err, failed)
	}
	if err != nil {
		return err
	}
	ready(p.remote.Address())
	<-ctx.Done()
	return p.close(context.WithoutCancel(ctx))
}

func connectProtocluster(ctx context.Context, address string, n int) (*protocluster, error) {
	p, err := startProtocluster(ctx)
	if err != nil {
		return nil, err
	}
	for i := range receivers {
		p.receivers = append(p.receivers, actor.NewPID(address, fmt.Sprint(receiverName, i)))
	}
	for i := range n {
		p.echoes = append(p.echoes, actor.NewPID(address, fmt.Sprint(echoName, i)))
	}
	_, err = p.ask(ctx, 0, &benchpb.Item{})
	return p, err
}

func (p *protocluster) order(ctx context.Context, receiver int, m any) (*benchpb.Tally, error) {
	return actor.Ask[*benchpb.Tally](ctx, p.system, p.receivers[receiver], m)
}

func (p *protocluster) tell(ctx context.Context, senders, n int, payload []byte) (*benchpb.Tally, error) {
	if err := expect(ctx, p, senders, n); err != nil {
		return nil, err
	}
	errs := make([]error, senders)
	var sent sync.WaitGroup
	for from := range senders {
		sent.Go(func() {
			for m := range items(from, n, payload) {
				if errs[from] = p.send(ctx, p.receivers[from], m); errs[from] != nil {
					return
				}
			}
		})
	}
	sent.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return await(ctx, p, senders)
}

// send waits while too much waits for the other node: that is how the library
// holds a sender back.
func (p *protocluster) send(ctx context.Context, to *actor.PID, m any) error {
	for {
		err := p.system.TrySend(to, m)
		if !errors.Is(err, actor.ErrMailboxFull) {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func (p *protocluster) ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	return actor.Ask[*benchpb.Item](ctx, p.system, p.echoes[caller%len(p.echoes)], m)
}

func (p *protocluster) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return errors.Join(p.remote.Stop(ctx), p.system.Shutdown(ctx))
}
