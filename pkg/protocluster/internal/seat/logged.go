package seat

import (
	"log/slog"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// Logged is a Host whose operator is told when the node loses its lease or its
// seat, and when it is back.
type Logged struct {
	Host

	Logger *slog.Logger
	Strict bool // or else nothing of the host's depends on the lease

	epoch   uint64
	lapsed  time.Time // since when there is no lease; zero: there is one, or will be in a moment
	evicted bool      // and not a member again
	leaving bool
}

// Seated implements Host.
func (l *Logged) Seated(self string, view *sealedview.View) {
	me, _ := view.Member(self)
	l.epoch, l.leaving = view.Epoch, me != nil && me.State == sealedview.Leaving
	if l.evicted {
		l.evicted = false
		l.Logger.Info("seat: a member again, by another id", "id", self, "epoch", view.Epoch)
	}
	l.Host.Seated(self, view)
}

// Unseated implements Host.
func (l *Logged) Unseated(self string, view *sealedview.View) {
	l.lapsed = time.Time{}
	if !l.leaving {
		l.evicted = true
		l.Logger.Warn("seat: the others went on without this member; it drops what it hosts strictly, and joins again",
			"id", self, "epoch", view.Epoch)
	}
	l.Host.Unseated(self, view)
}

// Lapsed implements Host.
func (l *Logged) Lapsed() {
	if l.Strict && !l.leaving {
		l.lapsed = time.Now()
		l.Logger.Warn("seat: the lease has ended; messages to strict kinds wait", "epoch", l.epoch)
	}
	l.Host.Lapsed()
}

// Regained implements Host.
func (l *Logged) Regained() {
	if !l.lapsed.IsZero() {
		l.Logger.Info("seat: there is a lease again", "epoch", l.epoch, "after", time.Since(l.lapsed).Round(time.Millisecond).String())
		l.lapsed = time.Time{}
	}
	l.Host.Regained()
}
