package automanaged

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Bounds of what a node says of itself, here and from others.
const (
	maxID       = 256
	maxAddress  = 262 // a host name of 255 bytes, the colon, the port
	maxKindName = 255
	maxKinds    = 64 << 10 // all names of one node together
)

// card is what a node says of itself in memberlist's node meta, as JSON. The
// node's name there is the member's ID.
type card struct {
	Version int            `json:"v"`
	Address string         `json:"a,omitempty"`
	Status  cluster.Status `json:"s,omitempty"`
	Client  bool           `json:"c,omitempty"`
	Started int64          `json:"t"`           // Unix nanoseconds; at one address the latest counts
	Kinds   []string       `json:"k,omitempty"` // unless they are too long for the meta, then
	Digest  []byte         `json:"d,omitempty"` // of the kinds, which the courier brings
}

const cardVersion = 1

// digest identifies a list of kinds.
type digest [sha256.Size]byte

func digestOf(kinds []string) digest {
	h := sha256.New()
	for _, k := range kinds {
		fmt.Fprintf(h, "%d:%s", len(k), k)
	}
	return digest(h.Sum(nil))
}

// newCard returns the card of a node and its form on the wire, which fits into
// the meta whatever the kinds.
func newCard(m cluster.Member, client bool, started int64) (card, []byte, error) {
	c := card{Version: cardVersion, Status: m.Status, Client: client, Started: started}
	if !client {
		c.Address, c.Kinds = m.Address, m.Kinds
	}
	if err := errors.Join(validID(m.ID), c.validate()); err != nil {
		return card{}, nil, err
	}
	meta, err := json.Marshal(c)
	if err == nil && len(meta) > memberlist.MetaMaxSize {
		d := digestOf(c.Kinds)
		c.Kinds, c.Digest = nil, d[:]
		meta, err = json.Marshal(c)
	}
	if err == nil && len(meta) > memberlist.MetaMaxSize {
		err = fmt.Errorf("its address %q is too long to announce", m.Address)
	}
	return c, meta, err
}

// readCard is newCard's inverse, for the card of any node.
func readCard(id string, meta []byte) (card, error) {
	if len(meta) > memberlist.MetaMaxSize {
		return card{}, fmt.Errorf("its meta has %d bytes, more than %d", len(meta), memberlist.MetaMaxSize)
	}
	var c card
	if err := json.Unmarshal(meta, &c); err != nil {
		return card{}, fmt.Errorf("its meta cannot be read: %w", err)
	}
	return c, errors.Join(validID(id), c.validate())
}

func (c card) validate() error {
	switch {
	case c.Version != cardVersion:
		return fmt.Errorf("its meta has version %d, not %d", c.Version, cardVersion)
	case c.Status > cluster.Leaving:
		return fmt.Errorf("it announces status %d", c.Status)
	case c.Client:
		return nil
	case len(c.Digest) != 0 && (len(c.Digest) != len(digest{}) || len(c.Kinds) != 0):
		return errors.New("it announces kinds by a digest that is none")
	}
	return errors.Join(validAddress(c.Address), validKinds(c.Kinds))
}

func validID(id string) error {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return fmt.Errorf("its id %.40q is not text of 1 to %d bytes", id, maxID)
	}
	return nil
}

func validAddress(address string) error {
	host, digits, err := net.SplitHostPort(address)
	port, notNumber := strconv.ParseUint(digits, 10, 16)
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }
	if err != nil || notNumber != nil || port == 0 || host == "" || len(address) > maxAddress || strings.ContainsFunc(host, odd) {
		return fmt.Errorf("its address %.40q is not host:port", address)
	}
	return nil
}

func validKinds(kinds []string) error {
	size := 0
	for _, k := range kinds {
		if k == "" || len(k) > maxKindName || !utf8.ValidString(k) || strings.Contains(k, "/") {
			return fmt.Errorf("its kind %.40q is not text of 1 to %d bytes without a slash", k, maxKindName)
		}
		size += len(k)
	}
	if size > maxKinds {
		return fmt.Errorf("its %d kinds have names of %d bytes together, more than %d", len(kinds), size, maxKinds)
	}
	return nil
}
