package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Kind is a promise of what a member can host: a name and how to make the
// actors of that name.
type Kind struct {
	Name  string
	Props *actor.Props
	// IdleTimeout evicts an activation that got no message for so long; 0
	// means never.
	IdleTimeout time.Duration
	// MaxActive is how many activations a member keeps; one more evicts the
	// least recently used. 0 means any number.
	MaxActive int
	// Consistency is how many activations of an identity there may be; the
	// default is what the lookup keeps. It is the same on all members that
	// host the kind: where the provider has a view store, Join fails with a
	// MixedKindError otherwise.
	Consistency Consistency
}

// Consistency says how many activations of one identity there may be at a time.
type Consistency uint8

// The consistencies of kinds.
const (
	// OfLookup is OneAtMost where the lookup's Locator is a Placer, as
	// partition's is, and OneInTheEnd otherwise.
	OfLookup Consistency = iota
	// OneAtMost is never two, whatever crashes, pauses or loses its network:
	// messages wait while the member that hosts the identity has no lease.
	// Join refuses it where the lookup cannot keep it.
	OneAtMost
	// OneInTheEnd may be two for a while, until the members agree on where it
	// lives; no message waits for a lease.
	OneInTheEnd
)

// KindOption sets one property of a Kind.
type KindOption func(*Kind)

// NewKind returns the kind of that name, whose actors are made from props. The
// cluster sets actor.WithLifecycle and WithAfterStop itself, in place of what props have.
func NewKind(name string, props *actor.Props, opts ...KindOption) Kind {
	k := Kind{Name: name, Props: props}
	for _, opt := range opts {
		opt(&k)
	}
	return k
}

// WithIdleTimeout sets Kind.IdleTimeout.
func WithIdleTimeout(d time.Duration) KindOption { return func(k *Kind) { k.IdleTimeout = d } }

// WithMaxActive sets Kind.MaxActive.
func WithMaxActive(n int) KindOption { return func(k *Kind) { k.MaxActive = n } }

// Strict sets Kind.Consistency to OneAtMost.
func Strict() KindOption { return func(k *Kind) { k.Consistency = OneAtMost } }

// Eventual sets Kind.Consistency to OneInTheEnd.
func Eventual() KindOption { return func(k *Kind) { k.Consistency = OneInTheEnd } }

// ID returns the identity of this kind with that name.
func (k Kind) ID(identity string) Identity { return Identity{Kind: k.Name, Identity: identity} }

// Validate reports everything that is wrong with k, or nil.
func (k Kind) Validate() error {
	faults := []error{validateKind(k.Name)}
	if k.Props == nil {
		faults = append(faults, fmt.Errorf("cluster: kind %q has no props; give it actor.PropsFromProducer(…)", k.Name))
	}
	if k.IdleTimeout < 0 || k.MaxActive < 0 {
		faults = append(faults, fmt.Errorf("cluster: kind %q has a negative idle timeout or cap; 0 means none", k.Name))
	}
	return errors.Join(faults...)
}

// MixedKindError is Join's, of a member that would host a kind strictly which
// another hosts eventually, or the other way round: one that goes by no lease
// would keep the other from being the only one.
type MixedKindError struct {
	Kind   string
	Strict bool   // here
	Member Member // that does otherwise
}

func (e *MixedKindError) Error() string {
	here, there := "eventual", "strict"
	if e.Strict {
		here, there = there, here
	}
	return fmt.Sprintf("cluster: kind %q is %s here and %s on member %s at %s; give it the same Consistency on all members, and them"+
		" the same lookup; to change it, stop them all first", e.Kind, here, there, e.Member.ID, e.Member.Address)
}

func validateKind(name string) error {
	switch {
	case name == "":
		return errors.New("cluster: a kind has no name; give it one, such as \"user\"")
	case strings.Contains(name, "/"):
		return fmt.Errorf("cluster: kind %q contains a slash, which separates kind and identity; use a name of one segment", name)
	case !utf8.ValidString(name):
		return fmt.Errorf("cluster: kind %q is not valid UTF-8; use a name that is", name)
	}
	return nil
}
