package seat

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func sampleView() *sealedview.View {
	return &sealedview.View{
		Cluster: "c", Stamp: sealedview.Stamp{Epoch: 7, Seal: "a-1"}, Nonce: "a-1", Revision: 3, Mode: sealedview.Council,
		Members: []sealedview.Member{{ID: "a", Address: "a:1", Kinds: []string{"user"}, State: sealedview.Active}},
		Before:  sealedview.Stamp{Epoch: 6, Seal: "a-0"}, Previous: []string{"a"},
	}
}

func sampleMessages() []sealedview.Message {
	view := sealedview.Stamp{Epoch: 7, Seal: "a-1"}
	return []sealedview.Message{
		sealedview.Renew{View: view, Seq: 9, Serves: true},
		sealedview.Grant{View: view, Seq: 9, Granted: true, Sealed: true, StoreAge: 3 * time.Second, Leased: true},
		sealedview.Grant{View: view, Seq: 10, StoreAge: -1},
		sealedview.Exclude{View: view, Target: "b"},
		sealedview.Excluded{View: view, Target: "b", Excluded: true, Remaining: time.Second},
		sealedview.Push{View: sampleView()},
		sealedview.Barrier{View: view, All: true},
		sealedview.Barrier{View: view, All: true, Of: "\x05"},
		sealedview.Heard{View: view},
		sealedview.Knock{},
		sealedview.Answer{},
	}
}

func TestFrame_CarriesEachMessage(t *testing.T) {
	for _, want := range sampleMessages() {
		f, err := encode(want)
		if err != nil {
			t.Fatalf("encode(%#v): %v", want, err)
		}
		got, err := decode(f, true, sealedview.Parse)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v became %#v, %v", want, got, err)
		}
	}
	if _, err := encode(nil); err == nil {
		t.Error("there is a frame for no message")
	}
}

func TestFrame_RefusesViewsThatAreTooLarge(t *testing.T) {
	v := sampleView()
	v.Members[0].Kinds = []string{strings.Repeat("x", maxFrame)}
	if _, err := encode(sealedview.Push{View: v}); err == nil || !strings.Contains(err.Error(), "read it from the store") {
		t.Errorf("encode of a view of a megabyte: %v", err)
	}
	if _, err := encode(sealedview.Push{View: new(sealedview.View)}); err == nil {
		t.Error("a view without anything is encoded")
	}
}

// Views of strangers are not even read.
func TestFrame_ReadsViewsOfTheBelievedOnly(t *testing.T) {
	garbage := &seatpb.Frame{Content: &seatpb.Frame_Push{Push: &seatpb.Push{Record: []byte("{")}}}
	if _, err := decode(garbage, true, sealedview.Parse); err == nil {
		t.Error("garbage is a view")
	}
	if got, err := decode(garbage, false, sealedview.Parse); err != nil || got != (sealedview.Push{}) {
		t.Errorf("a stranger's view became %#v, %v, want none", got, err)
	}
}

func FuzzSeatFrame(f *testing.F) {
	for _, m := range sampleMessages() {
		frame, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := proto.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var frame seatpb.Frame
		if proto.Unmarshal(raw, &frame) != nil {
			return
		}
		m, err := decode(&frame, true, sealedview.Parse)
		if err != nil {
			return
		}
		again, err := encode(m)
		if err != nil {
			if p, ok := m.(sealedview.Push); ok && len(p.View.Members) > 0 {
				return // it takes more as we write it
			}
			t.Fatalf("%#v cannot be sent on: %v", m, err)
		}
		got, err := decode(again, true, sealedview.Parse)
		if p, ok := got.(sealedview.Push); ok && err == nil {
			record, err := p.View.Encode()
			if sent := again.GetPush().GetRecord(); err != nil || string(record) != string(sent) {
				t.Errorf("the view %s became %s, %v", sent, record, err)
			}
		} else if err != nil || got != m {
			t.Errorf("%#v became %#v, %v", m, got, err)
		}
	})
}
