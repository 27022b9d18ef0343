package remote

import (
	"context"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/mailbox"
)

// outboxItems is how many messages may wait to be sent.
const outboxItems = 16 << 10

// calls are the asks of a number of callers over one connection. A caller has
// one at a time, so that its number says whose a reply is.
type calls struct {
	outbox  *mailbox.Mailbox[*benchpb.Item]
	replies []chan *benchpb.Item // one a caller

	once   sync.Once
	broken chan struct{} // closed, after err was set, when there is nothing more to come
	err    error
}

func newCalls(callers int) *calls {
	c := &calls{outbox: mailbox.New[*benchpb.Item](outboxItems), broken: make(chan struct{})}
	for range callers {
		c.replies = append(c.replies, make(chan *benchpb.Item, 1))
	}
	return c
}

func (c *calls) call(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	c.outbox.Put(m)
	select {
	case reply := <-c.replies[caller]:
		return reply, nil
	case <-c.broken:
		return nil, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// reply ends a call.
func (c *calls) reply(m *benchpb.Item) { c.replies[m.From] <- m }

// fail ends all calls with err, unless that is nil.
func (c *calls) fail(err error) {
	if err != nil {
		c.once.Do(func() {
			c.err = err
			close(c.broken)
		})
	}
}

// feed has senders fill the outbox with what they tell, and closes it when they
// have.
func feed(outbox *mailbox.Mailbox[*benchpb.Item], senders, n int, payload []byte) {
	var sent sync.WaitGroup
	for from := range senders {
		sent.Go(func() {
			for m := range items(from, n, payload) {
				outbox.Put(m)
			}
		})
	}
	go func() {
		sent.Wait()
		outbox.Close()
	}()
}
