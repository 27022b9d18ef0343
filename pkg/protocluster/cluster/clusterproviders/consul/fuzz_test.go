package consul_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// answer is what a server says to everything.
type answer struct {
	status int
	index  string
	body   []byte
}

// FuzzConsulResponses has something other than Consul answer. Whatever it says,
// the store says something that makes sense, soon, and leaves nothing running.
func FuzzConsulResponses(f *testing.F) {
	f.Add(uint16(200), "7", []byte(`[{"Key":"protocluster/shop/view","Value":"eA==","ModifyIndex":7,"LockIndex":1,"Flags":0}]`))
	f.Add(uint16(200), "7", []byte(`[{"Key":"protocluster/shop/view","Value":null,"ModifyIndex":0},null]`))
	f.Add(uint16(200), "7", []byte(`[{"Key":"protocluster/shop/join/a","Value":"!","Session":"x"}]`))
	f.Add(uint16(200), "7", []byte(`{"Results":[{"KV":{"Key":"protocluster/shop/view","ModifyIndex":8}}],"Errors":null}`))
	f.Add(uint16(200), "7", []byte(`{"Results":[null],"Errors":null}`))
	f.Add(uint16(409), "", []byte(`{"Results":null,"Errors":[{"OpIndex":0,"What":"failed to set key, index is stale"}]}`))
	f.Add(uint16(409), "", []byte(`{"Results":null,"Errors":[null]}`))
	f.Add(uint16(404), "-1", []byte(`Unknown check ID`))
	f.Add(uint16(403), "18446744073709551616", []byte(`Permission denied`))
	f.Add(uint16(500), "0", []byte(strings.Repeat("x", 10000)))
	f.Add(uint16(200), "", []byte(`true`))
	f.Add(uint16(200), "1", []byte(`false`))
	f.Add(uint16(200), "1", []byte(`{"ID":"/../x"}`))
	var current atomic.Pointer[answer]
	network := testkit.NewNetwork()
	serveWith(f, network, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := current.Load()
		w.Header().Set("X-Consul-Index", a.index)
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	}))
	f.Fuzz(func(t *testing.T, status uint16, index string, body []byte) {
		if status < 200 || status > 599 { // net/http takes no others
			status = 200 + status%400
		}
		current.Store(&answer{int(status), strings.ToValidUTF8(index, ""), body})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		store := open(t, node{name: "shop", network: network.Host("node"), log: new(journal)}, consul.WithAddress("consul:8500"))
		r, err := store.Read(ctx)
		if (r.Data == nil) != (r.Version == 0) || err != nil && r.Data != nil || err == nil && r.Revision == 0 {
			t.Errorf("Read = %+v, %v", r, err)
		}
		version, written := store.Write(ctx, []byte("x"), 7)
		if (version == 0) != (written != nil) {
			t.Errorf("Write = %d, %v", version, written)
		}
		errs := map[string]error{
			"Read": err, "Write": written, "Wait": store.Wait(ctx, cluster.Record{}), "Announce": store.Announce(ctx, "a", nil),
			"Show": store.Show(ctx, member), "Close": store.Close(ctx),
		}
		for name, err := range errs {
			if err != nil && (!strings.Contains(err.Error(), "consul:8500") || len(err.Error()) > 3000) {
				t.Errorf("%s = %v, want a short error with the address", name, err)
			}
		}
		if ctx.Err() != nil {
			t.Error("it took too long")
		}
	})
}
