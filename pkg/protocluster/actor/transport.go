package actor

// Transport carries messages to the actors of other nodes. A system has at
// most one, given to Attach. Its methods are called concurrently and must not
// block on the network.
type Transport interface {
	// Deliver takes e for an actor whose address is not this system's. An
	// error says that it was refused at once and nothing was sent.
	Deliver(to *PID, e Envelope) error
	// DeliverSystem takes a Watch, Unwatch or Stop for an actor of another
	// node, or a Terminated for a watcher there.
	DeliverSystem(to *PID, m SystemMessage)
}

// SystemMessage is one of *Watch, *Unwatch, *Stop and *Terminated: what actors
// handle ahead of every queued message.
type SystemMessage interface{ systemMessage() }

type (
	// Watch asks an actor to tell Watcher when it ends.
	Watch struct{ Watcher *PID }
	// Unwatch takes a Watch back.
	Unwatch struct{ Watcher *PID }
	// Stop ends an actor after the message that it is handling.
	Stop struct{}
)

// inTurn is what one actor of a system has another do.
type inTurn func()

func (*Watch) systemMessage()      {}
func (*Unwatch) systemMessage()    {}
func (*Stop) systemMessage()       {}
func (*Terminated) systemMessage() {}
func (inTurn) systemMessage()      {}
