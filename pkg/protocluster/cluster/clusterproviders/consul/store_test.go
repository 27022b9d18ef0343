package consul_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// A read that decides must not be answered by a leader that is none any more.
func TestStore_ReadsConsistently(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.joiners()
		for _, r := range b.Requests("GET") {
			if !strings.Contains(r, "consistent") {
				t.Errorf("a read asked %s, without consistent", r)
			}
		}
	})
}

func TestStore_WaitBlocksInConsul(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		r, err := b.store.Read(b.within(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		begin, before := time.Now(), len(b.Requests())
		if err := b.store.Wait(b.Context(), r); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 30*time.Second || took > time.Minute {
			t.Errorf("a wait in which nothing happened took %v, want between 30 s and a minute", took)
		}
		if n := len(b.Requests()) - before; n != 3 {
			t.Errorf("a wait made %d requests, want 3: %v", n, b.Requests())
		}
	})
}

// A Consul that answers, but badly, is not asked without pause.
func TestStore_WaitsArePaced(t *testing.T) {
	rows := []struct {
		name   string
		fault  func(b *bench)
		atMost int // requests in ten seconds
	}{
		{"errors", func(b *bench) { b.FailNext(1000000) }, 21},
		{"refusals", func(b *bench) { b.Permit("other") }, 21},
		{"nobody listens", func(b *bench) { b.network.Kill("consul") }, 21},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				row.fault(b)
				ctx := b.within(10 * time.Second)
				failures, total := 0, time.Now()
				for ctx.Err() == nil {
					if err := b.store.Wait(ctx, cluster.Record{}); err == nil && row.name != "refusals" {
						t.Fatal("Wait = nil, want an error")
					}
					failures++
				}
				if row.name == "refusals" {
					row.atMost = 1100 // it is shown an empty folder, and paced like any answer
				}
				if failures > row.atMost {
					t.Errorf("%d waits failed within %v, want %d at most", failures, time.Since(total), row.atMost)
				}
			})
		})
	}
}

// Consul counts from the beginning again when it lost its state, or starts anew.
func TestStore_IndexGoesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 50 {
			b.SetValue("other", []byte("x"))
		}
		version, err := b.store.Write(b.within(time.Second), []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.store.Read(b.within(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		b.Reset()
		b.SetValue(viewKey, []byte("by somebody else"))
		if err := b.store.Wait(b.within(20*time.Second), r); err != nil {
			t.Errorf("Wait from before = %v, want it to end by itself", err)
		}
		if _, err := b.store.Write(b.within(time.Second), []byte("two"), version); !errors.Is(err, cluster.ErrConflict) {
			t.Errorf("Write with a version from before = %v, want ErrConflict", err)
		}
		old := r
		if r, err = b.store.Read(b.within(time.Second)); err != nil || string(r.Data) != "by somebody else" || r.Revision >= old.Revision {
			t.Errorf("Read = %q at %d, %v, want what is there, at less than %d", r.Data, r.Revision, err, old.Revision)
		}
		done := make(chan error, 1)
		go func() { done <- b.store.Wait(b.Context(), r) }()
		testkit.Advance(time.Second)
		b.SetValue(viewKey, []byte("again"))
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Wait = %v", err)
			}
		default:
			t.Error("Wait with the new index does not notice the next change")
			if err := <-done; err != nil {
				t.Errorf("Wait = %v", err)
			}
		}
	})
}

func TestStore_RestoredBackup(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		one, err := b.store.Write(b.within(time.Second), []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		restore := b.Snapshot()
		two, err := b.store.Write(b.within(time.Second), []byte("two"), one)
		if err != nil {
			t.Fatal(err)
		}
		restore()
		if _, err := b.store.Write(b.within(time.Second), []byte("three"), two); !errors.Is(err, cluster.ErrConflict) {
			t.Errorf("Write with the version that is gone = %v, want ErrConflict", err)
		}
		if three, err := b.store.Write(b.within(time.Second), []byte("three"), one); err != nil || three <= two {
			t.Errorf("Write with the restored version = %d, %v, want more than %d", three, err, two)
		}
	})
}

func TestStore_PrefixesDoNotMix(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		other := open(t, b.node, consul.WithAddress("consul:8500"), consul.WithPrefix("a/b"))
		defer other.Close(t.Context())
		if _, err := other.Write(b.within(time.Second), []byte("theirs"), 0); err != nil {
			t.Fatal(err)
		}
		if r, err := b.store.Read(b.within(time.Second)); err != nil || r.Data != nil {
			t.Errorf("Read = %q, %v, want nothing", r.Data, err)
		}
		if got := string(b.Value("a/b/shop/view")); got != "theirs" {
			t.Errorf("the key below the prefix holds %q, want %q", got, "theirs")
		}
	})
}

// What others keep in the folder is none of the store's business.
func TestStore_ForeignKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, key := range []string{"", "view/", "views", "join", "join/", "x/view"} {
			b.SetValue(folder+key, []byte("foreign"))
		}
		r, err := b.store.Read(b.within(time.Second))
		if err != nil || r.Data != nil || len(r.Joiners) != 0 {
			t.Errorf("Read = %+v, %v, want nothing", r, err)
		}
	})
}

func TestStore_NotConsul(t *testing.T) {
	rows := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		{"a web server without that page", http.NotFound, "this is not how Consul answers"},
		{"a web page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Index", "7")
			_, _ = w.Write([]byte("<html>"))
		}, "this is not how Consul answers"},
		{"JSON of another shape", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"a":1}`)) }, "this is not how Consul answers"},
		{"a proxy's error", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "bad gateway", http.StatusBadGateway)
		}, "consul:8500 answers status 502: bad gateway"},
		{"a conflict of nothing", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "{}", http.StatusConflict)
		}, "consul:8500"},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`[{"Key":`))
		}, "consul:8500"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := testkit.NewNetwork()
				serveWith(t, network, http.HandlerFunc(row.answer))
				store := open(t, node{name: "shop", network: network.Host("node"), log: new(journal)}, consul.WithAddress("consul:8500"))
				calls := map[string]error{}
				_, calls["Read"] = store.Read(t.Context())
				_, calls["Write"] = store.Write(t.Context(), nil, 0)
				calls["Wait"] = store.Wait(t.Context(), cluster.Record{})
				calls["Announce"] = store.Announce(t.Context(), "a", nil)
				for name, err := range calls {
					if err == nil || errors.Is(err, cluster.ErrConflict) || name == "Read" && !strings.Contains(err.Error(), row.want) {
						t.Errorf("%s = %v, want an error with %q", name, err, row.want)
					}
				}
				if err := store.Close(t.Context()); err != nil {
					t.Errorf("Close = %v", err)
				}
			})
		})
	}
}

func TestStore_TooLarge(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		_, err := b.store.Write(b.within(time.Second), make([]byte, 600<<10), 0)
		if err == nil || errors.Is(err, cluster.ErrConflict) {
			t.Fatalf("Write of 600 KiB = %v, want an error", err)
		}
		for _, want := range []string{viewKey, "consul:8500", "too large", "kv_max_value_size", "txn_max_req_len"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Write of 600 KiB = %v, want %q in it", err, want)
			}
		}
	})
}

func TestStore_Unreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.network.Kill("consul")
		_, err := b.store.Read(b.within(time.Second))
		want := "consul: read protocluster/shop/: no answer from consul:8500 (does Consul listen there? see WithAddress and CONSUL_HTTP_ADDR): "
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "connection refused") {
			t.Errorf("Read = %v, want %s…connection refused", err, want)
		}
		b.link.Cut()
		defer b.link.Heal()
		_, err = b.store.Read(b.within(time.Second))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer from consul:8500") {
			t.Errorf("Read = %v, want a deadline, and the address", err)
		}
	})
}

// Close stops what runs also if nobody can be told; the bubble sees to it.
func TestClose_WithoutConsul(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := errors.Join(b.store.Announce(b.within(time.Second), "a", nil), b.store.Show(b.within(time.Second), member)); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { waited <- b.store.Wait(ctx, cluster.Record{Revision: 1000}) }()
		testkit.Advance(time.Second)
		b.link.Cut()
		testkit.Advance(12 * time.Second) // beats have failed
		cancel()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Errorf("Wait = %v, want context.Canceled", err)
		}
		begin, requests := time.Now(), len(b.Requests())
		if err := b.store.Close(b.within(time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v, want a deadline", err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("Close took %v, want a second at most", took)
		}
		testkit.Advance(time.Hour)
		b.link.Heal()
		testkit.Advance(time.Hour)
		if n := len(b.Requests()) - requests; n > 0 {
			t.Errorf("%d requests after Close: %q", n, b.Requests()[requests:])
		}
	})
}
