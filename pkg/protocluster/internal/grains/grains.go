// Package grains names the actors behind identities.
package grains

import (
	"net/url"
	"strings"
)

// Prefix begins the ids of the actors behind identities.
const Prefix = "grain/"

// ID is the id of the actor behind an identity. What could not be told from the
// name of an actor's child, or not be sent, is escaped.
func ID(kind, name string) string { return Prefix + kind + "/" + url.PathEscape(name) }

// Parse is the inverse of ID; false for most other ids.
func Parse(id string) (kind, name string, ok bool) {
	kind, escaped, ok := cut(id)
	name, err := url.PathUnescape(escaped)
	return kind, name, ok && err == nil && !strings.Contains(escaped, "/")
}

// Is reports whether id is ID(kind, name). It allocates nothing for a name that
// is not escaped.
func Is(id, kind, name string) bool {
	k, escaped, ok := cut(id)
	return ok && k == kind && escaped == url.PathEscape(name)
}

func cut(id string) (kind, escaped string, ok bool) {
	rest, ok := strings.CutPrefix(id, Prefix)
	kind, escaped, _ = strings.Cut(rest, "/")
	return kind, escaped, ok
}
