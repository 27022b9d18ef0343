package seat

import "context"

// Noting is a Store that tells what came of each call but Wait and Withdraw.
type Noting struct {
	Store

	Note func(err error) // called concurrently; must not block
}

// Read implements Store.
func (n Noting) Read(ctx context.Context) (Record, error) {
	r, err := n.Store.Read(ctx)
	n.Note(err)
	return r, err
}

// Write implements Store.
func (n Noting) Write(ctx context.Context, data []byte, version uint64) (uint64, error) {
	version, err := n.Store.Write(ctx, data, version)
	n.Note(err)
	return version, err
}

// Announce implements Store.
func (n Noting) Announce(ctx context.Context, id string, data []byte) error {
	err := n.Store.Announce(ctx, id, data)
	n.Note(err)
	return err
}
