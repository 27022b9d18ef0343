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
	rest, ok := strings.CutPrefix(id, Prefix)
	kind, escaped, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(escaped)
	return kind, name, ok && err == nil && !strings.Contains(escaped, "/")
}

// Is reports whether id is ID(kind, name). It allocates nothing for a name that
// is not escaped.
func Is(id, kind, name string) bool {
	n := len(Prefix) + len(kind)
	return len(id) > n && id[n] == '/' && id[len(Prefix):n] == kind && id[:len(Prefix)] == Prefix && id[n+1:] == url.PathEscape(name)
}
