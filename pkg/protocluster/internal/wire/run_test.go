package wire_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// taker takes runs, but for some actors.
type taker struct {
	refuses func(id string) bool
	got     []string
	runs    int
}

func (k *taker) ReceiveRun(id string, run []actor.Envelope) bool {
	if k.refuses(id) {
		return false
	}
	k.runs++
	for _, e := range run {
		k.take(id, e)
	}
	return true
}

func (k *taker) take(id string, e actor.Envelope) {
	text := fmt.Sprint(id, " ", e.Message)
	if e.Sender != nil {
		text += " of " + e.Sender.ID
	}
	if e.Meta != nil {
		text += " with " + e.Meta.Header["k"]
	}
	k.got = append(k.got, text)
}

// sent is one message of a batch, and what becomes of it.
type sent struct {
	to      string
	message any
	meta    *actor.Meta
	want    string
}

// batchOf is a frame of what is sent by "me", after one message that was
// withdrawn.
func batchOf(t testing.TB, types *wire.Types, all []sent) []byte {
	t.Helper()
	var b wire.Batch
	f := actor.NewSystem().NewFuture(0)
	all = append([]sent{{to: all[0].to, message: "withdrawn"}}, all...)
	for i, s := range all {
		p := wire.Parcel{Target: s.to, Sender: "me", Meta: s.meta}
		if i == 0 {
			p.Future = f
		}
		if err := p.Pack(types, new([]byte), s.message, 1<<20); err != nil {
			t.Fatal(err)
		}
		b.Add(&p)
	}
	f.Fail(actor.ErrStopped)
	b.Seal()
	batch, _ := wire.BatchOf(b.AppendFrame(nil))
	return batch
}

// receive reads a batch as package remote does.
func receive(t testing.TB, r *wire.Reader, batch []byte, k *taker) {
	t.Helper()
	if err := r.Read(batch); err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		if r.HandRun(k) {
			continue
		}
		m, err := r.Message()
		if err != nil {
			k.got = append(k.got, m.To+" failed")
			continue
		}
		k.take(m.To, m.Envelope)
	}
}

// Whoever takes runs and whoever refuses them gets the same messages in the same
// order. What cannot be decoded, or is more than a message, is in none.
func TestHandRun(t *testing.T) {
	mine, _ := wire.NewTypes(wire.Bounced{})
	theirs, _ := wire.NewTypes()
	meta := &actor.Meta{Header: map[string]string{"k": "v"}}
	all := []sent{
		{"a", 1, nil, "a 1 of me"},
		{"a", "two", meta, "a two of me with v"},
		{"a", wire.Bounced{}, meta, "a failed"},
		{"a", 3, meta, "a 3 of me with v"},
		{"b", 4, nil, "b 4 of me"},
		{"a", &actor.PoisonPill{}, nil, "a &{} of me"},
		{"a", 5, nil, "a 5 of me"},
		{"a", 6, nil, "a 6 of me"},
		{"a", &actor.Stop{}, nil, "a &{} of me"},
	}
	for i := range 200 {
		to := "a"
		if i%100 > 90 {
			to = "b"
		}
		all = append(all, sent{to, 100 + i, nil, fmt.Sprint(to, " ", 100+i, " of me")})
	}
	var want []string
	for _, s := range all {
		want = append(want, s.want)
	}
	r := wire.NewReader(theirs, "client-x")
	for _, row := range []struct {
		name    string
		refuses func(string) bool
		runs    int
	}{
		{"all take", func(string) bool { return false }, 8},
		{"none takes", func(string) bool { return true }, 0},
		{"one takes", func(id string) bool { return id == "a" }, 2},
		{"all take again", func(string) bool { return false }, 8},
	} {
		k := &taker{refuses: row.refuses}
		receive(t, r, batchOf(t, mine, all), k)
		if !slices.Equal(k.got, want) {
			t.Errorf("%s: got %q, want %q", row.name, k.got, want)
		}
		if k.runs != row.runs {
			t.Errorf("%s: %d runs, want %d", row.name, k.runs, row.runs)
		}
	}
}
