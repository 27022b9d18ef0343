package dashboard

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
)

const (
	// patience is how long a member may take to answer.
	patience = 700 * time.Millisecond
	// silence is how long a member is silent before it is said that it does not
	// answer; that nobody listens there is said at once.
	silence = time.Second
	// stale is how long a connection may be of no use. A new one notices
	// sooner than TCP does that a network is whole again.
	stale = 2 * time.Second
)

// link asks the reporter of one node again and again, and knows what it said
// last.
type link struct {
	address string
	self    *Reporter // of this node, which is asked directly; or nil
	node    *cluster.Cluster
	token   string

	mu    sync.Mutex
	level int // that samples are wanted at
	said  said
	conn  *grpc.ClientConn // nil: not dialled
	fresh time.Time        // when it was dialled, or last of use
}

// said is what a node said last.
type said struct {
	reply    *dashboardpb.ReportReply // nil: nothing yet
	asked    time.Time                // when it was asked for that
	answered time.Time                // and when it answered
	waited   time.Time                // since when an answer has been waited for; set by the composer
	err      error                    // why it did not since
	sample   *sample                  // never modified
	level    int                      // that the sample was asked for at
}

// sample is what a node hosts of the sampled identities.
type sample struct {
	version uint64
	level   int
	hashes  []uint64
	names   []string             // as many, or none
	since   map[uint64]time.Time // when each was there for the first time
}

// run asks until ctx ends, with pauses of that length.
func (l *link) run(ctx context.Context, pause time.Duration) {
	defer l.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		l.ask(ctx)
		timer.Reset(pause)
	}
}

func (l *link) close() {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

// ask asks once.
func (l *link) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, level := l.request()
	began := time.Now()
	reply, err := l.report(ctx, request)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.said.err = err
		l.revive()
		return
	}
	before := l.said
	l.fresh = time.Now()
	l.said = said{reply: reply, asked: began, answered: time.Now(), sample: before.sample, level: before.level}
	if reply.GetSample() != nil {
		l.said.sample, l.said.level = newSample(reply, before, time.Now()), level
	}
}

// revive has the next ask find a connection that may be better; l.mu is held.
func (l *link) revive() {
	switch {
	case l.conn == nil:
	case time.Since(l.fresh) < stale:
		l.conn.ResetConnectBackoff()
	default:
		_ = l.conn.Close()
		l.conn = nil
	}
}

// request names the sample that is known, unless one at another level is wanted.
func (l *link) request() (request *dashboardpb.ReportRequest, level int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	request = &dashboardpb.ReportRequest{Level: uint32(l.level)}
	if s := l.said.sample; s != nil && l.said.level == l.level {
		request.System, request.Version = l.said.reply.GetSystem(), s.version
	}
	return request, l.level
}

// newSample is what a reply tells that came now, after another.
func newSample(reply *dashboardpb.ReportReply, before said, now time.Time) *sample {
	from := reply.GetSample()
	s := &sample{version: from.GetVersion(), level: int(from.GetLevel()), hashes: from.GetHashes(), since: make(map[uint64]time.Time)}
	if len(from.GetNames()) == len(s.hashes) {
		s.names = from.GetNames()
	}
	same := before.sample != nil && before.reply.GetSystem() == reply.GetSystem()
	for _, hash := range s.hashes {
		if same {
			if since, known := before.sample.since[hash]; known {
				s.since[hash] = since
				continue
			}
		}
		s.since[hash] = now
	}
	return s
}

func (l *link) report(ctx context.Context, request *dashboardpb.ReportRequest) (*dashboardpb.ReportReply, error) {
	if l.self != nil {
		return l.self.report(l.node, request), nil
	}
	client, err := l.client()
	if err != nil {
		return nil, err
	}
	return client.Report(l.showing(ctx), request)
}

func (l *link) find(ctx context.Context, request *dashboardpb.FindRequest) (*dashboardpb.FindReply, error) {
	if l.self != nil {
		return l.self.find(request), nil
	}
	client, err := l.client()
	if err != nil {
		return nil, err
	}
	return client.Find(l.showing(ctx), request)
}

// showing has a call carry the token.
func (l *link) showing(ctx context.Context) context.Context {
	if l.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, tokenHeader, l.token)
}

// client returns the member's reporter, over a connection of its own.
func (l *link) client() (dashboardpb.ReporterClient, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		remote := l.node.Remote()
		if remote == nil {
			return nil, cluster.ErrNotJoined
		}
		conn, err := remote.Dial(l.address)
		if err != nil {
			return nil, err
		}
		l.conn, l.fresh = conn, time.Now()
	}
	return dashboardpb.NewReporterClient(l.conn), nil
}

// want has samples be at a level at least.
func (l *link) want(level int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = level
}

// last is what the node said last.
func (l *link) last() said {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said
}
