package consul_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
)

// calls are those that Consul may refuse, each with the rule it needs.
func calls(s cluster.Store) []struct {
	name, rule string
	call       func(ctx context.Context) error
} {
	const keys, sessions = `key_prefix "protocluster/shop/" { policy = "write" }`, `session_prefix "" { policy = "write" }`
	return []struct {
		name, rule string
		call       func(ctx context.Context) error
	}{
		{"Read", keys, func(ctx context.Context) error { _, err := s.Read(ctx); return err }},
		{"Write", keys, func(ctx context.Context) error { _, err := s.Write(ctx, nil, 0); return err }},
		{"Announce", sessions, func(ctx context.Context) error { return s.Announce(ctx, "a", nil) }},
		{"Show", `service "shop" { policy = "write" }`, func(ctx context.Context) error { return s.Show(ctx, member) }},
	}
}

func TestPermissionError(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Permit("")
		for _, c := range calls(b.store) {
			err := c.call(b.within(time.Second))
			denied, ok := errors.AsType[*consul.PermissionError](err)
			if !ok || denied.Rule != c.rule || denied.Address != "consul:8500" || !strings.Contains(err.Error(), c.rule) {
				t.Errorf("%s without rights = %v, want a PermissionError with the rule %s", c.name, err, c.rule)
			}
		}
		b.Permit("", "key:read", "session:write")
		if _, err := b.store.Read(b.within(time.Second)); err != nil {
			t.Errorf("Read with the right to read = %v", err)
		}
		err := b.store.Announce(b.within(time.Second), "a", nil)
		if denied, ok := errors.AsType[*consul.PermissionError](err); !ok || !strings.HasPrefix(denied.Rule, "key_prefix") {
			t.Errorf("Announce with the right to sessions = %v, want the rule for keys", err)
		}
		b.Permit("", "key:write", "session:write", "service:write")
	})
}

// A client needs no more than to read.
func TestPermissionError_Client(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Permit("")
		b.node.client = true
		store := open(t, b.node, consul.WithAddress("consul:8500"))
		defer store.Close(t.Context())
		want := `key_prefix "protocluster/shop/" { policy = "read" }`
		if _, err := store.Read(b.within(time.Second)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read by a client = %v, want the rule %s", err, want)
		}
	})
}

func TestPermissionError_UnknownToken(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Permit("known", "key:write", "session:write", "service:write")
		for _, c := range calls(b.store) {
			err := c.call(b.within(time.Second))
			if _, ok := errors.AsType[*consul.PermissionError](err); !ok || !strings.Contains(err.Error(), "does not know the token") ||
				!strings.Contains(err.Error(), "CONSUL_HTTP_TOKEN") || strings.Contains(err.Error(), "nonsense") {
				t.Errorf("%s with an unknown token = %v, want that said, and how to set another", c.name, err)
			}
		}
		b.Permit("nonsense", "session:write", "service:write")
	}, consul.WithToken("nonsense"))
}

// Each kind of call says what it was about.
func TestStore_ServerErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, c := range calls(b.store) {
			b.FailNext(1)
			err := c.call(b.within(time.Second))
			if want := "consul:8500 answers status 500: rpc error making call: No cluster leader"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s = %v, want %q in it", c.name, err, want)
			}
			if _, ok := errors.AsType[*consul.PermissionError](err); ok {
				t.Errorf("%s = %T", c.name, err)
			}
		}
	})
}

func TestProvider_RunIsForClusters(t *testing.T) {
	err := consul.New().Run(t.Context(), node{name: "shop"})
	if err == nil || !strings.Contains(err.Error(), "the Node that Run was given") {
		t.Errorf("Run with a node that is no cluster's = %v, want an error that says so", err)
	}
}

func TestPermissionError_EndsAJoin(t *testing.T) {
	if err := error(&consul.PermissionError{Err: errors.New("no")}); !errors.Is(err, cluster.ErrDenied) {
		t.Errorf("%v is no cluster.ErrDenied", err)
	}
}
