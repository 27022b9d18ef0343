package seat_test

import (
	"bytes"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

// viewOf is a view with one member.
func viewOf(epoch uint64, id string, state sealedview.State) *sealedview.View {
	return &sealedview.View{Stamp: sealedview.Stamp{Epoch: epoch}, Members: []sealedview.Member{{ID: id, State: state}}}
}

func TestLogged(t *testing.T) {
	const (
		lapsed  = `level=WARN msg="seat: the lease has ended; messages to strict kinds wait" epoch=1` + "\n"
		evicted = `level=WARN msg="seat: the others went on without this member; it drops what it hosts strictly, and joins again" id=a epoch=2` + "\n"
	)
	up, leaving := sealedview.Active, sealedview.Leaving
	rows := []struct {
		name   string
		relax  bool
		events func(h seat.Host)
		want   string
	}{
		{"views and their leases", false, func(h seat.Host) {
			h.Seated("a", viewOf(1, "a", up))
			h.Regained()
			h.Seated("a", viewOf(2, "a", up))
			h.Regained()
		}, ""},
		{"a short pause", false, func(h seat.Host) {
			h.Seated("a", viewOf(1, "a", up))
			h.Lapsed()
			<-time.After(1500 * time.Millisecond)
			h.Regained()
			h.Regained()
		}, lapsed + `level=INFO msg="seat: there is a lease again" epoch=1 after=1.5s` + "\n"},
		{"a long pause", false, func(h seat.Host) {
			h.Seated("a", viewOf(1, "a", up))
			h.Lapsed()
			h.Unseated("a", viewOf(2, "b", up))
			h.Seated("a~2", viewOf(3, "a~2", up))
			h.Regained()
			h.Seated("a~2", viewOf(4, "a~2", up))
		}, lapsed + evicted + `level=INFO msg="seat: a member again, by another id" id=a~2 epoch=3` + "\n"},
		{"a leave", false, func(h seat.Host) {
			h.Seated("a", viewOf(1, "a", leaving))
			h.Lapsed()
			h.Unseated("a", viewOf(2, "b", up))
		}, ""},
		{"a pause without strict kinds", true, func(h seat.Host) {
			h.Seated("a", viewOf(1, "a", up))
			h.Lapsed()
			h.Regained()
			h.Unseated("a", viewOf(2, "b", up))
		}, evicted},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				var plain, told echo
				row.events(&plain)
				row.events(&seat.Logged{Host: &told, Logger: timeless(&out), Strict: !row.relax})
				if out.String() != row.want {
					t.Errorf("logged:\n%swant:\n%s", out.String(), row.want)
				}
				if !slices.Equal(told, plain) {
					t.Errorf("the host was told %v, want %v", told, plain)
				}
			})
		})
	}
}

// timeless is a logger whose lines do not tell when.
func timeless(out *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// echo is a Host that lists its calls.
type echo []string

func (e *echo) Seated(self string, _ *sealedview.View)   { *e = append(*e, "seated "+self) }
func (e *echo) Unseated(self string, _ *sealedview.View) { *e = append(*e, "unseated "+self) }
func (e *echo) Lapsed()                                  { *e = append(*e, "lapsed") }
func (e *echo) Regained()                                { *e = append(*e, "regained") }
