//go:build integration

package integration_test

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/faultnet"
)

// order is what the test tells one of its processes, a line of JSON on its
// standard input; one of the pointers is set. Each is answered by a report with
// the same Number, when it is done, on the standard output.
type order struct {
	Number int       `json:"number"`
	Cut    *cuts     `json:"cut,omitempty"`
	Look   *struct{} `json:"look,omitempty"`
	Load   *load     `json:"load,omitempty"` // goes on until Halt
	Halt   *struct{} `json:"halt,omitempty"`
	Sweep  *sweep    `json:"sweep,omitempty"`
	Dump   *struct{} `json:"dump,omitempty"` // every goroutine into the log
}

// cuts are those of a faultnet.Network.
type cuts map[string]faultnet.Direction

// load is what a client asks of identities, again and again.
type load struct {
	Identities []string      `json:"identities"`
	Users      int           `json:"users"` // who each make one request at a time
	Pause      time.Duration `json:"pause"` // of a user, between two requests, on average
	Timeout    time.Duration `json:"timeout"`
	Most       int           `json:"most"`  // reads and writes of an identity
	Retry      bool          `json:"retry"` // requests are idempotent
	Burn       int64         `json:"burn"`  // if not 0, what each request burns
}

// sweep has a client ask all identities at once, again and again until they have
// answered.
type sweep struct {
	Identities []string      `json:"identities"`
	Patience   time.Duration `json:"patience"`
}

// report is what a process tells the test. The first, without number, says that
// the node has joined.
type report struct {
	Number int           `json:"number"`
	Error  string        `json:"error,omitempty"`
	Self   string        `json:"self,omitempty"` // its ID now
	View   *cluster.View `json:"view,omitempty"`
	Stats  cluster.Stats `json:"stats,omitzero"`
	Noted  uint64        `json:"noted,omitempty"` // reports to the referee
	Swept  *swept        `json:"swept,omitempty"`
	Loaded *loaded       `json:"loaded,omitempty"` // of Halt
}

// loaded is what became of the requests of a load.
type loaded struct {
	Answered, NotExecuted, Refused, Unknown int
	Latencies                               []time.Duration // of those that were answered
}

// swept is what became of a sweep.
type swept struct {
	Last        time.Duration     `json:"last"`        // when the last identity answered
	Activations map[string]string `json:"activations"` // their names, by identity
	Errors      map[string]string `json:"errors"`      // by identity, of those that did not answer
}
