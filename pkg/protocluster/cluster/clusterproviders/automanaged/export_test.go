package automanaged

import "github.com/protocluster/workshop/pkg/protocluster/cluster"

// ReadCard is what a node believes of another's meta.
func ReadCard(id string, meta []byte) (address string, kinds []string, err error) {
	c, err := readCard(id, meta)
	return c.Address, c.Kinds, err
}

// NewCard is the meta of a member.
func NewCard(m cluster.Member) ([]byte, error) {
	_, meta, err := newCard(m, false, 1)
	return meta, err
}
