package cluster

import (
	"context"
	"errors"
	"fmt"
	"unique"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// endpointName is the actor by which the nodes of a cluster talk.
const endpointName = "cluster"

// UnansweredError says that a member did not activate an identity when asked:
// it could not be reached in time, or it refused for now.
type UnansweredError struct {
	Member Member
	Err    error
}

func (e *UnansweredError) Error() string {
	return fmt.Sprintf("cluster: member %s at %s did not activate it: %v", e.Member.ID, e.Member.Address, e.Err)
}

// Is makes an UnansweredError an actor.ErrNotDelivered, whatever its reason is:
// to ask again is safe.
func (e *UnansweredError) Is(target error) bool { return target == actor.ErrNotDelivered }

// Ask implements Host.
func (n *node) Ask(ctx context.Context, member Member, id Identity) (*actor.PID, error) {
	to := actor.NewPID(member.Address, endpointName)
	reply, err := actor.Ask[*clusterpb.LocateReply](ctx, n.system, to, &clusterpb.LocateRequest{Grain: id.grain()})
	if err != nil {
		return nil, &UnansweredError{Member: member, Err: err}
	}
	return verdictOf(member, id, reply)
}

// verdictOf is what a member has said of id.
func verdictOf(member Member, id Identity, reply *clusterpb.LocateReply) (*actor.PID, error) {
	switch reply.GetOutcome() {
	case clusterpb.LocateReply_ACTIVE:
		address := unique.Make(reply.GetAddress()).Value() // all PIDs share one, which is then in the processor's cache
		return actor.NewPID(address, id.grain()), nil
	case clusterpb.LocateReply_MOVED:
		owner := Member{ID: reply.GetOwner(), Address: reply.GetAddress()}
		return nil, &MovedError{ID: id, Owner: owner, Epoch: reply.GetEpoch()}
	case clusterpb.LocateReply_FAILED:
		return nil, &ActivationError{ID: id, Err: fmt.Errorf("on %s: %s", member.Address, reply.GetReason())}
	default:
		return nil, &UnansweredError{Member: member, Err: errors.New(reply.GetReason())}
	}
}

// receive handles what other nodes send. It answers later where that may take
// time.
func (n *node) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *clusterpb.LocateRequest:
		n.answer(ctx, func(ctx context.Context) any { return n.serve(ctx, m.GetGrain()) })
	case *clusterpb.ReleaseRequest:
		n.answer(ctx, func(ctx context.Context) any {
			stamp := sealedview.Stamp{Epoch: m.GetEpoch(), Seal: m.GetSeal()}
			return &clusterpb.ReleaseReply{Released: n.letGo(ctx, m.GetGrain(), stamp)}
		})
	case *clusterpb.Retiring:
		n.answer(ctx, func(ctx context.Context) any {
			_ = n.await(ctx, "", func(v *View) bool { left, _ := v.Member(m.GetMember()); return left.Status != Up })
			return m
		})
	case *clusterpb.GossipRequest:
		ctx.Respond(n.gossip.Tell(n.Self().ID, n.load()))
	case *clusterpb.Gossip:
		n.gossip.Hear(m, n.interesting)
	}
}

// answer responds to ctx with what f returns, on a goroutine of its own.
func (n *node) answer(ctx actor.Context, f func(ctx context.Context) any) {
	work := func(task context.Context) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			task, cancel = context.WithDeadline(task, deadline)
			defer cancel()
		}
		ctx.Respond(f(task))
	}
	if n.tasks.Go("answer", work) == nil {
		ctx.Respond(&actor.RejectedError{Reason: fmt.Errorf("%w: %w", actor.ErrNotDelivered, ErrClosed)})
	}
}

// serve has the locator answer another member's Ask.
func (n *node) serve(ctx context.Context, grain string) *clusterpb.LocateReply {
	id, ok := parseGrain(grain)
	if !ok {
		return &clusterpb.LocateReply{Outcome: clusterpb.LocateReply_FAILED, Reason: "that is no identity"}
	}
	pid, err := n.locator.Serve(ctx, id)
	if err == nil {
		return &clusterpb.LocateReply{Outcome: clusterpb.LocateReply_ACTIVE, Address: pid.Address}
	}
	return verdict(err)
}

// verdict is why an identity was not activated, for another member.
func verdict(err error) *clusterpb.LocateReply {
	if moved, ok := errors.AsType[*MovedError](err); ok {
		owner := moved.Owner
		return &clusterpb.LocateReply{Outcome: clusterpb.LocateReply_MOVED, Owner: owner.ID, Address: owner.Address, Epoch: moved.Epoch}
	}
	if failed, ok := errors.AsType[*ActivationError](err); ok {
		return &clusterpb.LocateReply{Outcome: clusterpb.LocateReply_FAILED, Reason: failed.Err.Error()}
	}
	return &clusterpb.LocateReply{Outcome: clusterpb.LocateReply_REFUSED, Reason: err.Error()}
}
