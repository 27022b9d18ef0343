// Package integration is nothing but tests, of whole clusters whose nodes are
// processes, on a Consul of three processes. They take the build tag integration:
//
//	make test-integration           among others, the nemeses for five minutes
//	make test-integration CHAOS=1h  and for an hour
//	make measure                    the figures of MEASURED.md
//
// The environment variables CHAOS_SEED and CHAOS_ONLY have TestChaos do what it did
// once, as far as time allows, and only those nemeses whose names contain a text. The
// logs of all processes stay in a folder, which is printed, if the test fails or
// CHAOS_KEEP is set.
//
// TestChaos kills, halts and cuts members, and takes Consul away from them, while
// clients ask identities to count, and to read and write a register. After each
// nemesis has healed, all nodes have to go by one view within two seconds, every
// identity has to answer within three more, and nothing may have been broken
// meanwhile, by the word of a referee that is a process outside of the cluster.
//
// # The rules
//
// A virtual actor that is handed a message first of all looks at the machine's
// clock, which its processes share, and reports to the referee before it goes on:
// an entry, with identity, activation, fencing token and that instant. That an
// activation was started is its first entry. Lifecycle messages that end one are
// none: what they run may be late. An activation begins at its first entry. Let A
// and B be two of one identity, and A the one that began earlier.
//
//   - Overlap: no entry of A is at or after the beginning of B. A handler of A that
//     was entered before may still run.
//   - Token order: B's token is higher than A's. So a lower token is never dispatched
//     to after a higher one.
//   - One token: every entry and every reply of an activation has the same.
//   - One at a time: entries of an activation have growing numbers and instants, and
//     each is after the exit of the one before.
//   - Stale reply: no client accepts a reply of A to a request that it made after
//     the beginning of B.
//   - Stranger: no client accepts a reply of an activation without entries.
//   - Storage: no two activations of an identity write with the same token. A write
//     with a lower token than that of the last is refused, and no violation.
//   - History: what clients wrote and read of an identity is the history of one
//     linearizable register, as porcupine finds. A write without an answer may take
//     effect at any later time, or never; one that was refused, or of which the
//     error says that it was not executed, never does.
//   - No node has counted a violation of the protocol, none has logged an error, a
//     panic or a race, and none has ended by itself.
//
// Between the check of the lease and the first instruction of a handler a process
// may be halted, and go on when the lease is over: no code can check and act at the
// same instant. So an entry of A after the beginning of B is a straggler, and no
// overlap, if the test halted A's process before B began, if it is A's next entry
// since, A's handler before it had ended by then, and it comes within half a second
// after the process went on. If it is that A was started, and nothing follows, A was
// over before it began and is left out. Of these entries a process can have as many
// as it has workers, for each time it is halted; more are overlaps. The test prints
// their number.
//
// That the referee sees is tested, too: by histories that break each rule, and by a
// cluster with package disthash that is cut in two.
//
// # Faults
//
// Signals are real: SIGKILL, SIGSTOP, SIGTERM. Networks are cut by
// internal/faultnet, in each process, on the test's orders, so that none of it takes
// privileges. Every traffic of a node can be cut but that to the referee. Two
// seconds are two of a machine that runs: while the test itself gets no processor,
// the clock does not count.
//
// # Reading order
//
// nemesis_test.go is what is done, chaos_test.go what is checked; fleet_test.go and
// process_test.go are the processes as the test sees them; node_test.go,
// probe_test.go and load_test.go are what runs in them, by the orders of
// order_test.go. history_test.go checks registers. Then internal/referee and
// internal/faultnet.
package integration
