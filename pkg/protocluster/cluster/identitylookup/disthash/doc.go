// Package disthash places each identity on the member that wins a rendezvous of
// hashes among those that host its kind.
//
// It promises that members with the same view agree on the owner of every
// identity, that identities spread evenly (within 5 % of the mean), and that a
// change of the view moves only what a leaver owned or a joiner wins. Members
// learn of a new view at different times. Meanwhile, and after a partition for
// as long as the provider shows two halves, an identity may have an activation on
// the old owner and one on the new: placement is eventual. Each node ends those
// activations that its current view gives to another, which cluster.Stats counts
// as Displaced. Where two at a time are one too many, use package partition.
//
// It starts no goroutines. Its errors are those that cluster.Locator names:
// *cluster.NoHostError where no member that is up hosts a kind,
// *cluster.MovedError where a member is asked for what it does not own.
//
// Read disthash.go: Locate, Serve, Update.
package disthash
