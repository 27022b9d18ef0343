package remote

import "github.com/protocluster/workshop/pkg/protocluster/internal/wire"

// Types knows how messages cross to another node: protobuf messages under
// their full names; bool, string, []byte, numbers, errors and *actor.PID as
// themselves; and the Go types that WithTypes named, in JSON or, if they have
// it, in their own binary form. Its methods may be called concurrently.
type Types = wire.Types

// NewTypes returns the Types that also know the types of values, or an error
// that lists each one which cannot be registered.
func NewTypes(values ...any) (*Types, error) { return wire.NewTypes(values...) }
