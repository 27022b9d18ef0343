package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/grains"
)

// Identity addresses a virtual actor: "user/123" has kind "user" and identity
// "123". The identity may be any non-empty string, slashes included; the kind
// is a name of one segment.
type Identity struct {
	Kind     string
	Identity string
}

// ParseIdentity reads "kind/identity"; everything after the first slash
// belongs to the identity.
func ParseIdentity(s string) (Identity, error) {
	kind, name, _ := strings.Cut(s, "/")
	id := Identity{Kind: kind, Identity: name}
	return id, id.Validate()
}

func (id Identity) String() string { return id.Kind + "/" + id.Identity }

// Validate reports what is wrong with id, or nil.
func (id Identity) Validate() error {
	kind := validateKind(id.Kind)
	if id.Identity != "" {
		return kind
	}
	return errors.Join(kind, fmt.Errorf("cluster: identity %q has no part after the kind; write it as kind/identity, such as user/123", id))
}

// grain is the id of the actor behind id.
func (id Identity) grain() string { return grains.ID(id.Kind, id.Identity) }

// isAt reports whether pid has the id of the actor behind id.
func (id Identity) isAt(pid *actor.PID) bool { return grains.Is(pid.ID, id.Kind, id.Identity) }

// parseGrain is the inverse of grain; false for all other ids.
func parseGrain(s string) (Identity, bool) {
	kind, name, ok := grains.Parse(s)
	id := Identity{Kind: kind, Identity: name}
	return id, ok && id.Validate() == nil
}

// text is how an identity is written in errors, where one of a megabyte would
// help nobody.
func (id Identity) text() string {
	const most = 100
	if s := id.String(); len(s) <= most {
		return s
	}
	return fmt.Sprintf("%.*s… (%d bytes)", most, id.String(), len(id.String()))
}

// IdentityOf returns the identity of the virtual actor whose handler got ctx, or
// a context made from that; false outside of one.
func IdentityOf(ctx context.Context) (Identity, bool) {
	if a := activationOf(ctx); a != nil {
		return a.id, true
	}
	return Identity{}, false
}

// FromContext returns the cluster of the virtual actor whose handler got ctx, or
// a context made from that; nil outside of one.
func FromContext(ctx context.Context) *Cluster {
	if a := activationOf(ctx); a != nil {
		return a.node.cluster
	}
	return nil
}

type activationKey struct{}

// activationOf is nil outside of one.
func activationOf(ctx context.Context) *activation {
	a, _ := ctx.Value(activationKey{}).(*activation)
	return a
}
