package seat_test

import (
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// settle waits until whatever connection is not needed has ended.
func (w *world) settle() { testkit.Advance(40 * time.Second) }

// dials are all that there were between two hosts, either way.
func (w *world) dials(a, b string) int {
	return w.Dials(testkit.Route{From: a, To: b}) + w.Dials(testkit.Route{From: b, To: a})
}

// What is asked and what is answered take one frame each: the receipts go with
// them.
func TestBack_ARenewalCostsTwoFrames(t *testing.T) {
	inWorld(t, func(w *world) {
		var nodes []*node
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} { // the last two are not of the council
			nodes = append(nodes, w.start(name))
		}
		w.together(5*time.Second, nodes...)
		w.settle()
		frames, renewals := w.wire.frames.Load(), w.wire.renewals.Load()
		testkit.Advance(10 * time.Second)
		frames, renewals = w.wire.frames.Load()-frames, w.wire.renewals.Load()-renewals
		if renewals < 29*40 || renewals > 31*40 { // 5 members ask 4 others, 2 members 5, 40 times
			t.Errorf("%d renewals, want about 1200", renewals)
		}
		if each := float64(frames) / float64(renewals); each > 2.02 {
			t.Errorf("a renewal costs %.2f frames, want 2", each)
		}
	})
}

// Whoever dials first, one connection stays, and it stays the same.
func TestBack_OneConnectionForEachPair(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.settle()
		if n := w.wire.streams.Load(); n != 3 {
			t.Errorf("three nodes have %d streams, want one for each pair", n)
		}
		before := w.dials("a", "b") + w.dials("b", "c") + w.dials("a", "c")
		testkit.Advance(10 * time.Minute)
		if n := w.dials("a", "b") + w.dials("b", "c") + w.dials("a", "c"); n != before {
			t.Errorf("%d dials in ten quiet minutes", n-before)
		}
		for _, n := range nodes {
			if s := n.Stats(); s.Connections != 2 || s.Dropped > 0 || len(s.Rejected) > 0 {
				t.Errorf("%s has %+v, want two connections, and nothing dropped or rejected", n.name, s)
			}
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("%s was told %q, want nothing", n.name, events)
			}
		}
	})
}

// dialling starts three nodes of which one dials nobody while it cannot.
func (w *world) dialling(name string) (nodes []*node, cannot *atomic.Bool) {
	w.Helper()
	cannot = new(atomic.Bool)
	for _, n := range []string{"a", "b", "c"} {
		nodes = append(nodes, w.start(n, func(c *seat.Config) {
			dial := c.Dial
			c.Dial = func(address string) (*grpc.ClientConn, error) {
				if n == name && cannot.Load() {
					return noDial(address)
				}
				return dial(address)
			}
		}))
	}
	w.together(5*time.Second, nodes...)
	w.settle()
	return nodes, cannot
}

// A grantor that can dial nobody any more grants over the streams of those who
// ask.
func TestBack_GrantsTakeNoDial(t *testing.T) {
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				nodes, cannot := w.dialling(name)
				cannot.Store(true)
				for _, n := range nodes {
					n.host.happened()
					w.Reset(name, n.name)
				}
				w.pass(5 * time.Second)
				for _, n := range nodes {
					if events := n.host.happened(); len(events) > 0 {
						t.Errorf("%s was told %q, want nothing", n.name, events)
					}
				}
			})
		})
	}
}

// A node that cannot be dialled is not let in, though it could be answered: others
// will have to reach it.
func TestBack_JoiningTakesADial(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a", func(c *seat.Config) { c.Dial = noDial })
		w.together(5*time.Second, a)
		w.start("b")
		w.pass(5 * time.Second)
		if _, v := a.View(); len(v.Members) != 1 {
			t.Errorf("the view is %s", ids(v))
		}
		if a.Stats().Received == 0 {
			t.Error("b was not heard: does the test test anything?")
		}
	})
}

// What one direction alone swallows is given up by both ends, and when it is
// healed one connection is left again.
func TestBack_OneWayCut(t *testing.T) {
	for _, r := range []testkit.Route{{From: "a", To: "b"}, {From: "b", To: "a"}} {
		t.Run(r.From+" to "+r.To, func(t *testing.T) {
			inWorld(t, func(w *world) {
				nodes := w.three()
				w.settle()
				forth, back := w.Dials(r), w.Dials(r.Back())
				w.Cut(r)
				w.pass(300 * time.Millisecond)
				w.HealAll()
				w.pass(2 * time.Second)
				for _, n := range nodes {
					if events := n.host.happened(); len(events) > 0 {
						t.Errorf("after 300ms %s was told %q, want nothing", n.name, events)
					}
				}
				if w.Dials(r) != forth || w.Dials(r.Back()) != back {
					t.Error("300ms are worth another dial")
				}
				w.Cut(r)
				w.pass(1200 * time.Millisecond) // a renewal, the patience from then on, and another
				if w.Dials(r) == forth || w.Dials(r.Back()) == back {
					t.Errorf("after 1200ms %d and %d dials, want more than %d and %d", w.Dials(r), w.Dials(r.Back()), forth, back)
				}
				w.HealAll()
				w.together(8*time.Second, nodes...)
				w.settle()
				if n := w.wire.streams.Load(); n != 3 {
					t.Errorf("three nodes have %d streams, want one for each pair", n)
				}
			})
		})
	}
}

// asB speaks for a member that was killed, as another process at its address.
func (i *intruder) asB() seatpb.Seat_TellClient {
	i.w.Helper()
	st := i.open()
	i.send(st, hello(func(h *seatpb.Hello) { h.Member, h.Address = "b1", "b:4000" }))
	return st
}

func (i *intruder) send(st seatpb.Seat_TellClient, f *seatpb.Frame) {
	i.w.Helper()
	if err := st.Send(f); err != nil {
		i.w.Fatal(err)
	}
}

// granted reads until a grant comes.
func granted(st seatpb.Seat_TellClient) error {
	for {
		if f, err := st.Recv(); err != nil || f.GetGrant() != nil {
			return err
		}
	}
}

// What goes back takes the newest stream.
func TestBack_Superseded(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		nodes[1].kill()
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		first := i.asB()
		i.send(first, renew(nil))
		if err := granted(first); err != nil {
			t.Fatal(err)
		}
		second := i.asB()
		if err := ending(first); status.Code(err) != codes.Aborted {
			t.Errorf("the first stream ended with %v", err)
		}
		i.send(second, renew(nil))
		if err := granted(second); err != nil {
			t.Error(err)
		}
	})
}

// Grants need no receipt, until many had none.
func TestBack_Grants(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		nodes[1].kill()
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		st := i.asB()
		if f, err := st.Recv(); err != nil || f.GetArrived() != 1 {
			t.Fatalf("what came back is %v, %v, want a receipt for the greeting", f, err)
		}
		grant := &seatpb.Grant{View: &seatpb.Stamp{Epoch: 1, Seal: "x"}}
		for range 100 {
			i.send(st, &seatpb.Frame{To: "a0", Content: &seatpb.Frame_Grant{Grant: grant}})
		}
		for { // what a tells b by itself may carry a receipt as well
			f, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if f.Content == nil {
				if f.GetArrived() < 60 {
					t.Errorf("a receipt for %d frames goes alone", f.GetArrived())
				}
				break
			}
		}
	})
}

// A member that does not read, and sends on, stalls nobody else and piles up
// nothing.
func TestBack_NobodyReads(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		nodes[1].kill()
		i := w.intrude("a:4000")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		st := i.asB()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range 50_000 {
				if st.Send(renew(nil)) != nil {
					return
				}
			}
		}()
		w.together(3*time.Second, nodes[0], nodes[2])
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
			t.Errorf("the heap has grown by %d bytes", grown)
		}
		for _, n := range []*node{nodes[0], nodes[2]} {
			if events := n.host.happened(); counts(events, "lapsed") > 0 {
				t.Errorf("%s, who is well, was told %q", n.name, events)
			}
		}
		_ = i.conn.Close()
		<-sent
	})
}

// What a node answers that is not as it should be costs it the stream, and the
// node that reads it nothing.
func TestBack_Malformed(t *testing.T) {
	long := strings.Repeat("x", 600)
	greets := func(change func(h *seatpb.Hello)) func(f *seatpb.Frame) {
		return func(f *seatpb.Frame) {
			if h := f.GetHello(); h != nil {
				change(h)
			}
		}
	}
	grants := func(change func(f *seatpb.Frame)) func(f *seatpb.Frame) {
		return func(f *seatpb.Frame) {
			if f.GetGrant() != nil {
				change(f)
			}
		}
	}
	rows := []struct {
		name   string
		change func(f *seatpb.Frame)
		reason string // under which it is counted
		says   string // in the log
	}{
		{"another version", greets(func(h *seatpb.Hello) { h.Version = 2 }), "wrong version", "speaks version 2 of the protocol, this node version 3; update the older"},
		{"another cluster", greets(func(h *seatpb.Hello) { h.Cluster = "other" }), "wrong cluster", "other"},
		{"another address", greets(func(h *seatpb.Hello) { h.Address = "x:1" }), "foreign address", "dialled at b:4000"},
		{"the reader's address", greets(func(h *seatpb.Hello) { h.Address = "a:4000" }), "foreign address", "claims to be this node"},
		{"the reader's id", greets(func(h *seatpb.Hello) { h.Member = "a0" }), "foreign address", "claims to be this node"},
		{"no id", greets(func(h *seatpb.Hello) { h.Member = "" }), "malformed hello", "no id"},
		{"another member's id", greets(func(h *seatpb.Hello) { h.Member = "c2" }), "foreign member", "at another address"},
		{"no greeting", func(f *seatpb.Frame) {
			if f.GetHello() != nil {
				f.Content = &seatpb.Frame_Knock{Knock: &seatpb.Knock{}}
			}
		}, "no greeting", "must be Hello"},
		{"a long seal", grants(func(f *seatpb.Frame) { f.GetGrant().View.Seal = long }), "malformed", "a seal of"},
		{"evidence from ever", grants(func(f *seatpb.Frame) { f.GetGrant().StoreAge = math.MaxInt64 }), "malformed", "evidence"},
		{"more frames than were sent", grants(func(f *seatpb.Frame) { f.Arrived += 1000 }), "malformed", "a receipt for"},
		{"fewer frames than before", grants(func(f *seatpb.Frame) { f.Arrived = 0 }), "malformed", "a receipt for 0"},
		{"a receipt without news", grants(func(f *seatpb.Frame) { f.Arrived, f.Content = 0, nil }), "malformed", "a receipt for 0"},
		{"more than a megabyte", grants(func(f *seatpb.Frame) { f.To = strings.Repeat("x", 1<<20) }), "oversized", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				nodes, cannot := w.dialling("b")
				a, b := nodes[0], nodes[1]
				cannot.Store(true)
				w.Reset("a", "b")
				b.answers.Store(&row.change)
				w.until(2*time.Second, row.reason, func() bool { return a.Stats().Rejected[row.reason] > 0 })
				if lines := w.logs.lines("no lease traffic with a node"); row.says != "" && (len(lines) == 0 || !strings.Contains(lines[0], row.says)) {
					t.Errorf("the log has %q, want it to say %q", lines, row.says)
				}
				b.answers.Store(nil)
				w.together(15*time.Second, nodes...)
			})
		})
	}
}

// An older node hears why it is refused.
func TestBack_AnOlderCaller(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		err := i.say(hello(func(h *seatpb.Hello) { h.Version = 2 }))
		if want := "speaks version 2 of the protocol, this node version 3; update the older"; !strings.Contains(err.Error(), want) {
			t.Errorf("the stream ended with %v, want it to say %q", err, want)
		}
	})
}
