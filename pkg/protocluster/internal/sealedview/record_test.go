package sealedview_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func exampleView() *sealedview.View {
	return &sealedview.View{
		Cluster: "c", Stamp: sealedview.Stamp{Epoch: 1_700_000_000_000, Seal: "a-7"}, Nonce: "a-8", Revision: 12, Mode: sealedview.Council,
		Members: []sealedview.Member{
			{ID: "a", Address: "10.0.0.1:4040", Kinds: []string{"cart", "user"}, Weight: 2, State: sealedview.Active},
			{ID: "b", Address: "10.0.0.2:4040", State: sealedview.Leaving},
		},
		Before: sealedview.Stamp{Epoch: 1_699_999_999_999, Seal: "b-3"}, Previous: []string{"a", "b", sealedview.StoreGrantor},
		Excluded: []string{"b"}, Override: "b-4",
	}
}

func TestParse_ReadsWhatEncodeWrites(t *testing.T) {
	want := exampleView()
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := sealedview.Parse(data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Parse(%s) = %+v, %v, want %+v", data, got, err, want)
	}
	if len(data) > 200*len(want.Members)+400 {
		t.Errorf("%d bytes for two members: a thousand would not fit into a value of Consul", len(data))
	}
}

func TestParse_RefusesARecordWhole(t *testing.T) {
	rows := []struct {
		want   string
		change func(*sealedview.View)
	}{
		{"lacks its cluster", func(v *sealedview.View) { v.Cluster = "" }},
		{"lacks its cluster, nonce, seal or epoch", func(v *sealedview.View) { v.Epoch, v.Before = 0, sealedview.Stamp{} }},
		{"none above", func(v *sealedview.View) { v.Epoch = 1<<64 - 1 }},
		{"before its own", func(v *sealedview.View) { v.Before.Epoch = v.Epoch }},
		{"half of the view before", func(v *sealedview.View) { v.Before.Seal = "" }},
		{"unknown mode", func(v *sealedview.View) { v.Mode = "anarchy" }},
		{"at most 5", func(v *sealedview.View) { v.Previous = make([]string, 6) }},
		{"without id or address", func(v *sealedview.View) { v.Members[0].Address = "" }},
		{"without id or address", func(v *sealedview.View) { v.Members[0].ID = sealedview.StoreGrantor }},
		{`"a" twice`, func(v *sealedview.View) { v.Members[1].ID = "a" }},
		{"5000 members; there are at most 4096", func(v *sealedview.View) { v.Members = make([]sealedview.Member, 5000) }},
		{"excludes 3 of 2 members", func(v *sealedview.View) { v.Excluded = []string{"a", "b", "c"} }},
		{"unknown state", func(v *sealedview.View) { v.Members[1].State = "" }},
		{"weight -1", func(v *sealedview.View) { v.Members[1].Weight = -1 }},
	}
	for _, row := range rows {
		t.Run(row.want, func(t *testing.T) {
			v := exampleView()
			row.change(v)
			if _, err := v.Encode(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Encode: %v, want it to say %q", err, row.want)
			}
			data, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := sealedview.Parse(data); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Parse = %+v, %v, want an error that says %q", got, err, row.want)
			}
		})
	}
	if _, err := sealedview.Parse(make([]byte, 2<<20)); err == nil || !strings.Contains(err.Error(), "1048576 at most") {
		t.Errorf("Parse of two megabytes: %v, want it to say how many bytes there are at most", err)
	}
	for _, text := range []string{"", "null", "[]", `{"members": 3}`, "{", `{"epoch": -1}`, `{"epoch": 1e99}`} {
		if v, err := sealedview.Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%s) = %+v", text, v)
		}
	}
}

// A record is read from a store that others may write to: whatever it is, Parse
// returns, and what it accepts is a view that it reads again as the same, and that
// a node can go by.
func FuzzViewRecordJSON(f *testing.F) {
	data, err := exampleView().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"cluster":"c","epoch":1,"seal":"s","nonce":"s","mode":"store","members":[]}`))
	f.Add([]byte(`{"cluster":"c","epoch":2,"seal":"s","nonce":"n","mode":"council","before":{"epoch":1,"seal":"r"},"previous":["","$store"]}`))
	f.Add([]byte(`{"members":[{"weight":1e308},{"weight":1e999}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := sealedview.Parse(data)
		if err != nil {
			if v != nil {
				t.Errorf("Parse returns a view and %v", err)
			}
			return
		}
		again, err := v.Encode()
		if err != nil {
			t.Fatalf("Encode of what was parsed: %v", err)
		}
		w, err := sealedview.Parse(again)
		if err != nil {
			t.Fatalf("Parse(%s): %v", again, err)
		}
		if third, _ := w.Encode(); string(third) != string(again) {
			t.Errorf("a record changes as it is read again: %s, %s", again, third)
		}
		if n := len(v.Grantors()); n > 5 || v.Mode == sealedview.Council && len(v.Members) > 0 && n%2 == 0 {
			t.Errorf("%d grantors of %d members", n, len(v.Members))
		}
		goBy(t, v)
	})
}

// goBy has a node that is no member, and each of the first members, read a record.
func goBy(t testing.TB, v *sealedview.View) {
	t.Helper()
	selves := []sealedview.Member{{ID: "nobody else", Address: "x:1"}}
	selves = append(selves, v.Members[:min(len(v.Members), 3)]...)
	for _, self := range selves {
		n := sealedview.NewNode(sealedview.Config{Self: self, Mode: v.Mode, Params: sealedview.Defaults(), Cluster: v.Cluster})
		n.Step(0, sealedview.Tick{})
		for _, e := range n.Step(1, sealedview.Read{View: v, Version: 1}) {
			if bad, ok := e.(sealedview.Violated); ok {
				t.Errorf("%q: %s", self.ID, bad.Text)
			}
		}
		n.Step(2e9, sealedview.Tick{})
		if view := n.View(); view != nil && view.Stamp != v.Stamp && !view.Has(self.ID) {
			t.Errorf("%q goes by %+v", self.ID, view)
		}
	}
}
