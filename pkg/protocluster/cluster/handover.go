package cluster

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/handover"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// await waits until another claim of an identity may do better: those who are
// owing are asked for it. The first wait is made; the caller closes it.
func (t *tenure) await(ctx context.Context, w *handover.Wait[Identity], why *FencedError) (*handover.Wait[Identity], error) {
	if w == nil {
		w = t.desk.Expect(why.ID)
	}
	if w == nil {
		return nil, &actor.RejectedError{Reason: fmt.Errorf("cluster: %d look-ups wait already for %s to be handed over: %w",
			handover.Most, why.ID.text(), actor.ErrNotDelivered)}
	}
	if err := w.For(ctx, why.claim); err != nil {
		return w, fmt.Errorf("%w: %w", why, err)
	}
	return w, nil
}

// askFor has a member let go of id in the view of a stamp.
func (t *tenure) askFor(ctx context.Context, id Identity, member string, view sealedview.Stamp) bool {
	m, ok := t.installed().Member(member)
	if !ok {
		return false
	}
	request := &clusterpb.ReleaseRequest{Grain: id.grain(), Epoch: view.Epoch, Seal: view.Seal}
	reply, err := actor.Ask[*clusterpb.ReleaseReply](ctx, t.node.system, actor.NewPID(m.Address, endpointName), request)
	return err == nil && reply.GetReleased()
}

// letGo answers a member that waits for an identity in the view of that stamp:
// true says that this node goes by it, and holds the identity no more.
func (n *node) letGo(ctx context.Context, grain string, stamp sealedview.Stamp) bool {
	id, ok := parseGrain(grain)
	t := n.tenure
	if !ok || t.placer == nil {
		return false
	}
	err := n.await(ctx, "", func(v *View) bool { return v.stamp == stamp || v.Epoch > stamp.Epoch })
	if view := n.View(); err != nil || view.stamp != stamp || !t.gone(view, id) {
		return false
	}
	// An activation of an older view is in the table by now, and this view
	// allows none.
	return n.grains.without(ctx, func(other Identity) bool { return other == id }) && t.installed().stamp == stamp
}

// release tells the others once nothing is left here that view gives to them,
// unless cancel is called before.
func (t *tenure) release(view *View) (cancel func()) {
	s := t.seat.Load()
	if s == nil || view.stamp.Epoch == 0 {
		return func() {}
	}
	cancel = t.node.tasks.Go("release", func(ctx context.Context) {
		if t.placer != nil && !t.node.grains.without(ctx, func(id Identity) bool { return t.gone(view, id) }) {
			return
		}
		s.Released(view.stamp, "")
	})
	if cancel == nil {
		return func() {}
	}
	return cancel
}
