package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/hashicorp/consul/api"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// PermissionError says that Consul's access control refused something, and did
// nothing.
type PermissionError struct {
	Address string // of the agent
	Doing   string // what was refused
	Rule    string // what a policy of the node's token has to say
	Err     error  // what Consul said
}

func (e *PermissionError) Error() string {
	if strings.Contains(e.Err.Error(), "ACL not found") {
		return fmt.Sprintf("consul: %s: the agent at %s does not know the token; set another by WithToken, WithTokenFile, %s or %s: %v",
			e.Doing, e.Address, api.HTTPTokenEnvName, api.HTTPTokenFileEnvName, e.Err)
	}
	return fmt.Sprintf("consul: %s: the agent at %s does not permit that; give the token the rule %s: %v",
		e.Doing, e.Address, e.Rule, e.Err)
}

func (e *PermissionError) Unwrap() error { return e.Err }

// Is makes a PermissionError a cluster.ErrDenied.
func (e *PermissionError) Is(target error) bool { return target == cluster.ErrDenied }

// errForeign is an answer that Consul does not give.
var errForeign = errors.New("this is not how Consul answers; does something else listen there, or stand between?")

// rule is one of Consul's access control, as a policy has it.
type rule string

// failed says what failed, where, and what to do about it, such as to give the
// token the rule that it needs.
func (s *store) failed(doing string, needs rule, err error) error {
	status, answered := errors.AsType[api.StatusError](err)
	lost, unanswered := errors.AsType[*url.Error](err)
	switch {
	case errors.Is(err, cluster.ErrConflict):
		return fmt.Errorf("consul: %s at %s: %w", doing, s.address, cluster.ErrConflict)
	case unanswered:
		return fmt.Errorf("consul: %s: no answer from %s%s: %w", doing, s.address, hint(err), lost.Err)
	case !answered && garbled(err):
		return fmt.Errorf("consul: %s at %s: %w: %w", doing, s.address, errForeign, err)
	case !answered:
		return fmt.Errorf("consul: %s at %s: %w", doing, s.address, err)
	case status.Code == http.StatusForbidden || denied(status.Body):
		return &PermissionError{Address: s.address, Doing: doing, Rule: string(needs.orList(status.Body)), Err: said(status)}
	case status.Code == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("consul: %s: too large for %s; raise kv_max_value_size and txn_max_req_len in its servers' limits: %w",
			doing, s.address, said(status))
	}
	return fmt.Errorf("consul: %s: %s answers status %d: %w", doing, s.address, status.Code, said(status))
}

// said is what Consul, or what stood in its place, answered, as far as somebody
// wants to read it.
func said(status api.StatusError) error {
	const enough = 500
	if len(status.Body) > enough {
		return errors.New(strings.ToValidUTF8(status.Body[:enough], "") + "…")
	}
	return errors.New(status.Body)
}

// orList is r, or if Consul was told to guard listings separately, the rule for
// these, which includes it.
func (r rule) orList(refusal string) rule {
	if strings.Contains(refusal, "key:list") {
		return rule(strings.Replace(string(r), `"read"`, `"list"`, 1))
	}
	return r
}

// garbled reports an answer that is not the JSON of Consul.
func garbled(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, shape := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || shape
}

// hint says what may be wrong with the address.
func hint(err error) string {
	_, unknown := errors.AsType[*net.DNSError](err)
	if unknown || errors.Is(err, syscall.ECONNREFUSED) {
		return " (does Consul listen there? see WithAddress and " + api.HTTPAddrEnvName + ")"
	}
	return ""
}

// denied recognises what Consul's access control says, from 1.8 on.
func denied(text string) bool {
	return strings.Contains(text, "Permission denied") || strings.Contains(text, "ACL not found")
}

// keys is the rule for the cluster's folder.
func (s *store) keys() rule {
	return rule(fmt.Sprintf("key_prefix %q { policy = %q }", s.folder, s.access))
}

// sessions is the rule for announcements.
func (s *store) sessions() rule { return `session_prefix "" { policy = "write" }` }

// services is the rule for being seen.
func (s *store) services() rule {
	return rule(fmt.Sprintf("service %q { policy = \"write\" }", s.service))
}
