// Package consul keeps a cluster's view in HashiCorp Consul's key-value store,
// so that kinds can be strict: it is a cluster.Provider by a cluster.ViewStore.
// Members are also shown in Consul's own pages, as a service with a check.
//
// Nothing decides by what Consul believes of a node: the members watch over each
// other, and need Consul to change the view. While it cannot be reached, those
// who are members serve on for more than a minute, and for as long as one of them
// reaches it.
//
// New takes the address, token and encryption from its options or, as Consul's
// own tools do, from the environment. The package's Example shows all of it.
//
// # What it asks of Consul
//
//	read to decide  GET kv/P/?recurse&consistent
//	watch           GET kv/P/?recurse&index=I&wait=15s
//	write           PUT txn, of one cas of kv/P/view
//	announce        PUT session/create, kv/P/join/<id>?acquire=…, session/renew/…
//	withdraw        PUT session/destroy/…
//	show            PUT agent/service/register, agent/check/update/…
//	hide            PUT agent/service/deregister/…
//
// P is <prefix>/<cluster's name>. All of that is in Consul 1.8 and later. A write
// is a transaction because the answer to that has the new index in it; its
// limit, txn_max_req_len, allows records of 380 KiB, well over 1,000 members.
//
// Where access control is on, the token of a member needs the rules
//
//	key_prefix "protocluster/shop/" { policy = "write" }
//	session_prefix "" { policy = "write" }
//	service "shop" { policy = "write" }
//
// and that of a client only the first, with policy "read". Whoever may write
// the key is in control of the cluster.
//
// # Promises
//
// Those of cluster.Store, as long as Consul's servers keep theirs. A wait that
// began after a backup was restored may take 15 s to notice; all others notice
// at once. Who announced itself and is not heard of is forgotten after 15 to
// 30 s. No health status, lock or lock delay decides anything.
//
// Not promised: that versions differ for ever. Servers that lose their state and
// begin anew count from 1 again; a write that spans this may succeed although
// the record is another.
//
// # Goroutines
//
// Announce starts one that renews the session, until Withdraw or Close, and
// Show one that passes the check, until Close. Connections are kept between
// requests, each with two goroutines of net/http, until Close.
//
// # Errors
//
// A *PermissionError names the rule that the token lacks. Every error names the
// agent's address. The first failure of what goes on in the background is
// logged as a warning, and the end of the failures too.
//
// # Reading order
//
// provider.go and config.go are the surface. store.go is the record,
// announce.go and show.go are what has to be repeated, by keeper.go. agent.go
// is the connection, errors.go makes sense of what Consul says. In consultest
// are a fake Consul and a way to run a real one.
package consul
