package sealedview

// protection is a set of the protocol's rules. Tests switch rules off, one at a
// time, to see that the simulator notices; nothing else can.
type protection uint32

const (
	leaseWait     protection = 1 << iota // R1: promises have run out before a member is removed
	exclusion                            // R1: a grantor grants nothing to whom it has excluded
	sameView                             // grants are for one view
	majority                             // of the grantors
	leaseCheck                           // to serve takes a lease
	barriers                             // to activate takes barriers
	allBarriers                          // of all earlier owners, not of the last one alone
	oldLeases                            // R2, R3: leases of the views before have run out
	sealing                              // a lease takes a sealed view
	overrideWait                         // an override waits for T_store
	freshness                            // to serve takes fresh evidence of the store
	overrideHides                        // a record with an override is no evidence
	noForks                              // a view that does not descend from the installed one is refused
	settling                             // the store's word counts after a while
	fromSending                          // a lease counts from when it was asked for
	keptPromises                         // promises outlive their view
	leasedRestore                        // only a member with a lease writes its view back
	sameIntent                           // an override that was taken back does not count
)

// keeps reports whether a rule is in force.
func (p *Params) keeps(rule protection) bool { return p.without&rule == 0 }
