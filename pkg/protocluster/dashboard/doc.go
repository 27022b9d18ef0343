// Package dashboard shows a cluster on a live page: who is a member, with which
// epoch and lease, what each hosts, what moves and why, how requests fare, and what
// happened. Nothing of it is there unless a program asks for it.
//
// Each node that is to be seen has a Reporter, which notes what the node's virtual
// actors do and answers pages on the node's own port. One node, or several, serve a
// Page, which asks the reporters of all members four times a second. The page's node
// may be a client. What is true of the cluster as a whole is put together from what
// each member says of itself, and a member that says nothing is shown as such.
//
// # Promises
//
// The page changes nothing: it has no actions. Its cost does not grow with the
// number of identities: a member tells how many it hosts, and at most 2,048 of them,
// chosen by hash, so that all members choose the same ones and a dot that moves is an
// identity that moved. Of a message it shows the type, when it was handled, for how
// long and how that ended, and never what it carries. A slow browser skips what has
// passed. Not promised: that something which came and went between two answers was
// seen, and that the history of an identity is whole. A member's part of it ends with
// the member, but for what the page had heard.
//
// # Who may look
//
// Without a token Listen takes a loopback address only, and a page answers only who
// calls it by a loopback name, which keeps out pages of other sites that have had
// their own name point here. With a token it may be served anywhere; people show it
// once, programs as a bearer. There is no CORS, no frame may hold the page, and
// nothing in it comes from elsewhere. It speaks HTTP: put TLS before it if it leaves
// the machine. Reporters answer whoever reaches the node's port and, with
// ReporterConfig.Token, shows that; between nodes it is as secret as the TLS of
// package remote. Identities have names on the page only where ReporterConfig.Names
// says so, but whoever knows one can look for it.
//
// # Buttons
//
// A browser asks for lab/actions beside the page once. Nothing is there, unless a
// program that serves the page adds it: see the README.
//
// # Goroutines
//
// Page.Run starts one for the views of its node and one for each node that it asks,
// and returns when they have ended; Serve starts one more, for the listener. A search
// has one for each member while it lasts. A Reporter has none.
//
// # Reading
//
// reporter.go is what is told, and internal/journal whence it is known. page.go,
// composer.go and link.go keep the page up to date; whereabouts.go follows what moves,
// rates.go counts, compare.go and timeline.go tell what happened. handler.go, stream.go,
// search.go and plain.go are what browsers get; login.go and listen.go keep others out.
package dashboard
