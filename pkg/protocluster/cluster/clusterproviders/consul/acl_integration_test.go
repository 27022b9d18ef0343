//go:build integration

package consul_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const root = "11111111-2222-3333-4444-555555555555"

// guarded starts an agent that permits nothing but to the root token. It may
// guard listings separately.
func guarded(t *testing.T, listings bool) *consultest.Agent {
	t.Helper()
	agent := consultest.Start(t, consultest.Config{HCL: fmt.Sprintf(`
		acl {
			enabled = true
			default_policy = "deny"
			enable_key_list_policy = %t
			tokens { initial_management = %q }
		}`, listings, root)})
	agent.Token = root
	return agent
}

// token makes a token whose policy has the rules.
func token(t *testing.T, agent *consultest.Agent, rules ...string) string {
	t.Helper()
	name := fmt.Sprint("policy-", time.Now().UnixNano())
	policy, err := json.Marshal(map[string]string{"Name": name, "Rules": strings.Join(rules, "\n")})
	if err != nil {
		t.Fatal(err)
	}
	agent.Put("acl/policy", policy)
	var made struct{ SecretID string }
	answer := agent.Put("acl/token", fmt.Appendf(nil, `{"Policies":[{"Name":%q}]}`, name))
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	return made.SecretID
}

// What the errors tell to permit, one rule after the other, is enough in the
// end, and no more than the documentation says.
func TestLive_Rules(t *testing.T) {
	agent := guarded(t, false)
	var rules []string
	for range 10 {
		l := goLive(t, agent, consul.WithToken(token(t, agent, rules...)))
		lacking := map[string]bool{}
		for _, c := range calls(l.store) {
			err := c.call(l.within(patience))
			if err == nil {
				continue
			}
			denied, ok := errors.AsType[*consul.PermissionError](err)
			if !ok {
				t.Fatalf("%s = %v, want a PermissionError", c.name, err)
			}
			if !strings.Contains(err.Error(), denied.Rule) || !strings.Contains(err.Error(), agent.Address) {
				t.Errorf("%s = %v, want the rule and the address in it", c.name, err)
			}
			lacking[denied.Rule] = true
		}
		_ = l.store.Close(l.within(patience)) // it may lack the rights
		if len(lacking) == 0 {
			break
		}
		for rule := range lacking {
			rules = append(rules, rule)
		}
	}
	if len(rules) != 3 {
		t.Errorf("it took the rules %q, want three", rules)
	}
	l := goLive(t, agent, consul.WithToken(token(t, agent, rules...)))
	for _, c := range calls(l.store) {
		if err := c.call(l.within(patience)); err != nil && c.name != "Write" { // it was written above
			t.Errorf("%s with %q = %v", c.name, rules, err)
		}
	}
	if err := l.store.Close(l.within(patience)); err != nil {
		t.Errorf("Close with %q = %v", rules, err)
	}
}

func TestLive_NoRules(t *testing.T) {
	agent := guarded(t, false)
	for name, opts := range map[string][]consul.Option{
		"no token":      nil,
		"unknown token": {consul.WithToken("99999999-2222-3333-4444-555555555555")},
		"another prefix": {consul.WithToken(token(t, agent, `key_prefix "protocluster/stock/" { policy = "write" }`,
			`session_prefix "" { policy = "read" }`))},
	} {
		l := goLive(t, agent, opts...)
		for _, c := range calls(l.store) {
			err := c.call(l.within(patience))
			if _, ok := errors.AsType[*consul.PermissionError](err); !ok {
				t.Errorf("%s with %s = %v, want a PermissionError", c.name, name, err)
			}
			if name == "unknown token" && !strings.Contains(err.Error(), "does not know the token") {
				t.Errorf("%s with %s = %v, want that said", c.name, name, err)
			}
			if strings.Contains(fmt.Sprint(err), "99999999") {
				t.Errorf("%s with %s = %v, which tells the token", c.name, name, err)
			}
		}
	}
}

// A token that is revoked while the node is at work, and replaced in its file.
func TestLive_TokenRotation(t *testing.T) {
	agent := guarded(t, false)
	all := []string{`key_prefix "protocluster/shop/" { policy = "write" }`, `session_prefix "" { policy = "write" }`, `service "shop" { policy = "write" }`}
	path := filepath.Join(t.TempDir(), "token")
	secret := token(t, agent, all...)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	l := goLive(t, agent, consul.WithTokenFile(path))
	if err := l.store.Announce(l.within(patience), "a", []byte("a joins")); err != nil {
		t.Fatal(err)
	}
	var self struct{ AccessorID string }
	agent.Token = secret
	if err := json.Unmarshal(agent.Get("acl/token/self"), &self); err != nil {
		t.Fatal(err)
	}
	agent.Token = root
	agent.Delete("acl/token/" + self.AccessorID)
	l.until("the refusal", func() bool {
		_, err := l.store.Read(l.within(patience))
		_, ok := errors.AsType[*consul.PermissionError](err)
		return ok
	})
	if err := os.WriteFile(path, []byte(token(t, agent, all...)), 0o600); err != nil {
		t.Fatal(err)
	}
	l.until("the announcement", func() bool { return len(l.read().Joiners) == 1 })
}

// A client gets along with the one rule that its error names.
func TestLive_ClientRule(t *testing.T) {
	for _, listings := range []bool{false, true} {
		t.Run(fmt.Sprint("listings guarded: ", listings), func(t *testing.T) { clientRule(t, guarded(t, listings)) })
	}
}

func clientRule(t *testing.T, agent *consultest.Agent) {
	t.Helper()
	client := node{name: "shop", client: true, network: remote.TCP{}, log: new(journal)}
	store := open(t, client, consul.WithAddress(agent.Address))
	defer store.Close(t.Context())
	_, err := store.Read(t.Context())
	denied, ok := errors.AsType[*consul.PermissionError](err)
	if !ok {
		t.Fatalf("Read = %v, want a PermissionError", err)
	}
	permitted := open(t, client, consul.WithAddress(agent.Address), consul.WithToken(token(t, agent, denied.Rule)))
	defer permitted.Close(t.Context())
	r, err := permitted.Read(t.Context())
	if err != nil {
		t.Fatalf("Read with %s = %v", denied.Rule, err)
	}
	l := goLive(t, agent, consul.WithToken(root))
	l.write("one", 0)
	if err := permitted.Wait(l.within(patience), r); err != nil {
		t.Errorf("Wait with %s = %v", denied.Rule, err)
	}
}
