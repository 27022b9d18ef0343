package actor

import (
	"cmp"
	"fmt"
)

// Token says which of the actors that had the same identity one is, on whichever
// nodes they ran: it strictly increases from one to the next. Storage that
// remembers the newest token it has seen for a key, and refuses writes with an
// older one, is safe from an actor that does not know yet that it was replaced.
// The zero Token means that there is none; then nothing is promised.
type Token struct {
	Epoch   uint64 // of the view of the cluster that the actor was started under
	Counter uint64 // tells apart those of one epoch
}

// Compare returns -1 if t is older than u, 0 if they are the same, 1 if newer.
func (t Token) Compare(u Token) int {
	return cmp.Or(cmp.Compare(t.Epoch, u.Epoch), cmp.Compare(t.Counter, u.Counter))
}

// String returns "epoch.counter".
func (t Token) String() string { return fmt.Sprintf("%d.%d", t.Epoch, t.Counter) }

// WithFence gives the actor the token that Context.Fence returns.
func WithFence(t Token) PropsOption { return func(p *Props) { p.fence = t } }

// Fence is what each write outside the actor's node should carry: see Token. It
// is the same after a restart.
func (c Context) Fence() Token { return c.cell.props.fence }
