package cluster_test

import (
	"strings"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestParseIdentity(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       cluster.Identity
		fault      string
	}{
		{"plain", "user/123", cluster.Identity{Kind: "user", Identity: "123"}, ""},
		{"slashes belong to the identity", "file//etc/hosts", cluster.Identity{Kind: "file", Identity: "/etc/hosts"}, ""},
		{"no identity", "user", cluster.Identity{Kind: "user"}, "no part after the kind"},
		{"empty identity", "user/", cluster.Identity{Kind: "user"}, "no part after the kind"},
		{"no kind", "/123", cluster.Identity{Identity: "123"}, "a kind has no name"},
		{"nothing", "", cluster.Identity{}, "a kind has no name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := cluster.ParseIdentity(row.text)
			if got != row.want {
				t.Errorf("ParseIdentity(%q) = %v, want %v", row.text, got, row.want)
			}
			wantFault(t, err, row.fault)
		})
	}
}

// wantFault checks that err mentions text, or is nil if text is empty.
func wantFault(t testing.TB, err error, text string) {
	t.Helper()
	if (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("error = %v, want one with %q", err, text)
	}
}

func TestIdentity_MayBeAnyString(t *testing.T) {
	names := []string{
		"a/b/c", "/", "//", "..", "%2F", "%", "日本", "żółw 🐢", "\x00", "\xff\xfe is no UTF-8", " ", "a\nb",
		strings.Repeat("x", 1<<20), strings.Repeat("/é", 1<<17),
	}
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		for _, name := range names {
			id := user(name)
			for _, n := range c.Nodes() {
				home := ask(t, n, id, "where")
				if owner := ask(t, c.Node(0), id, "where"); home != owner {
					t.Errorf("%.20q lives at %v and %v", name, home, owner)
				}
			}
			if got := l.starts(id); got != 1 {
				t.Errorf("%.20q was started %d times, want once", name, got)
			}
		}
		if got, want := ask(t, c.Node(0), user("\x00"), "who"), "user/\x00"; got != want {
			t.Errorf("IdentityOf = %q, want %q", got, want)
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestIdentity_EmptyPartsAreRefused(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		for _, id := range []cluster.Identity{{}, {Kind: "user"}, {Identity: "1"}, {Kind: "us/er", Identity: "1"}} {
			if _, err := c.Node(0).Request(t.Context(), id, "x"); err == nil {
				t.Errorf("Request(%q) succeeded, want it refused", id)
			}
			if err := c.Node(0).Send(t.Context(), id, "x"); err == nil {
				t.Errorf("Send(%q) succeeded, want it refused", id)
			}
		}
	})
}

// A child of a grain has an id that looks like that of another grain with a
// slash in its identity.
func TestIdentity_IsNoChildOfAnother(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		pid, err := c.Node(0).Locate(t.Context(), user("1"))
		if err != nil {
			t.Fatal(err)
		}
		c.Node(0).System().Send(actor.NewPID(pid.Address, pid.ID+"/child"), "to nobody")
		testkit.Advance(0)
		if l.count("to nobody") != 0 || l.starts(user("1/child")) != 0 {
			t.Errorf("a message to a child that does not exist started a grain")
		}
		if got := ask(t, c.Node(0), user("1/child"), "who"); got != "user/1/child" {
			t.Errorf("IdentityOf = %v", got)
		}
	}, testkit.WithKinds(l.kind("user")))
}
