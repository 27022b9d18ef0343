package dashboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard/internal/journal"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	mostSampled = 2048 // identities of a member, and of a page
	mostName    = 120  // bytes of an identity as pages show it
	mostFound   = 16   // activations of one identity
	tokenHeader = "protocluster-dashboard-token"
)

// ReporterConfig says what a member tells dashboards. Zero fields mean the
// defaults.
type ReporterConfig struct {
	// Name is the member's for people; "" means its address.
	Name string
	// Token is what a dashboard has to show, as its Config.Token; "" means that
	// all who reach the node's port are told, which is who can send to its
	// actors as well.
	Token string
	// Names has identities be told by name, and not by a hash alone. Who knows
	// an identity can always ask for it.
	Names bool
}

// Reporter notes what one node does, and tells dashboards of it. Its methods may
// be called concurrently, and do not block.
type Reporter struct {
	config  ReporterConfig
	journal *journal.Journal
	cluster string // the name of the node's cluster; set by Watch
	node    atomic.Pointer[cluster.Cluster]
}

// NewReporter returns the reporter of one node. Make another for another node.
func NewReporter(config ReporterConfig) *Reporter {
	return &Reporter{config: config, journal: journal.New(mostSampled)}
}

// Watch returns a copy of a node's configuration by which r sees what its actors
// do and answers dashboards on the node's port. What is added to the copy
// afterwards is not seen. Attach goes with it.
func (r *Reporter) Watch(c *cluster.Config) *cluster.Config {
	d := c.With()
	r.cluster = c.Name
	d.Kinds = nil
	for _, k := range c.Kinds {
		if k.Props != nil {
			k.Props = k.Props.With(actor.WithReceiverMiddleware(r.journal.Watch))
		}
		d.Kinds = append(d.Kinds, k)
	}
	if c.Remote != nil {
		d.Remote = c.Remote.With(remote.WithService(&dashboardpb.Reporter_ServiceDesc, service{r: r}))
	}
	return d
}

// Attach says which node r reports of: the one that was made with what Watch
// returned. Until then r answers nobody.
func (r *Reporter) Attach(node *cluster.Cluster) { r.node.Store(node) }

// service is a Reporter as gRPC sees it.
type service struct {
	dashboardpb.UnimplementedReporterServer

	r *Reporter
}

// Report implements dashboardpb.ReporterServer.
func (s service) Report(ctx context.Context, request *dashboardpb.ReportRequest) (*dashboardpb.ReportReply, error) {
	if err := s.r.admit(ctx); err != nil {
		return nil, err
	}
	return s.r.report(s.r.node.Load(), request), nil
}

// Find implements dashboardpb.ReporterServer.
func (s service) Find(ctx context.Context, request *dashboardpb.FindRequest) (*dashboardpb.FindReply, error) {
	if err := s.r.admit(ctx); err != nil {
		return nil, err
	}
	return s.r.find(request), nil
}

// admit says why a caller is not answered, or nil.
func (r *Reporter) admit(ctx context.Context) error {
	shown := metadata.ValueFromIncomingContext(ctx, tokenHeader)
	switch {
	case r.config.Token != "" && (len(shown) != 1 || !same(shown[0], r.config.Token)):
		return status.Error(codes.Unauthenticated, "dashboard: the dashboard's token is not this member's; give both the same")
	case r.node.Load() == nil:
		return status.Error(codes.Unavailable, "dashboard: the member has a reporter that is not attached to it; call Attach")
	}
	return nil
}

// same compares secrets in a time that does not depend on what they are.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (r *Reporter) report(node *cluster.Cluster, request *dashboardpb.ReportRequest) *dashboardpb.ReportReply {
	system, view, stats, totals := node.System(), node.View(), node.Stats(), r.journal.Totals()
	self, _ := view.At(system.Address())
	reply := &dashboardpb.ReportReply{
		System: system.ID(), Name: shorten(r.config.Name), Member: self.ID, Epoch: view.Epoch,
		Leased: stats.Lease > 0, Lease: int64(stats.Lease),
		Activations: uint64(totals.Active), Strict: uint64(totals.Strict), Kinds: make(map[string]uint64),
		Handled: totals.Handled, Handling: counts(totals.Took), Panics: totals.Panics,
		Requests: stats.Requests, Retries: stats.Retries, Failures: stats.Failures, Unknown: stats.Unknown, Latency: counts(stats.Latency),
		Lapses: stats.Lapses, Evictions: stats.Evictions, Violations: stats.Violations, StoreAge: int64(stats.StoreAge),
	}
	if !stats.StoreOut.IsZero() {
		reply.StoreOut = int64(time.Since(stats.StoreOut))
	}
	for kind, n := range totals.Kinds {
		reply.Kinds[kind] = uint64(n)
	}
	since := request.GetVersion()
	if request.GetSystem() != system.ID() {
		since = 0
	}
	if sample, changed := r.journal.Sample(int(request.GetLevel()), since); changed {
		reply.Sample = r.sample(sample)
	}
	return reply
}

func (r *Reporter) sample(s journal.Sample) *dashboardpb.Sample {
	sample := &dashboardpb.Sample{Version: s.Version, Level: uint32(s.Level), Hashes: s.Hashes}
	if r.config.Names {
		for _, id := range s.IDs {
			sample.Names = append(sample.Names, shorten(id.String()))
		}
	}
	return sample
}

// shorten has s be valid UTF-8 of mostName bytes at most.
func shorten(s string) string {
	if len(s) > mostName {
		s = s[:mostName-len("…")] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

// counts leaves out the zeroes at the end.
func counts(c tally.Counts) []uint64 {
	last := len(c)
	for last > 0 && c[last-1] == 0 {
		last--
	}
	return c[:last]
}

// system is the id of the node, "" before Attach.
func (r *Reporter) system() string {
	if node := r.node.Load(); node != nil {
		return node.System().ID()
	}
	return ""
}

func (r *Reporter) find(request *dashboardpb.FindRequest) *dashboardpb.FindReply {
	id := cluster.Identity{Kind: request.GetKind(), Identity: string(request.GetIdentity())}
	reply := &dashboardpb.FindReply{System: r.system()}
	for _, a := range r.journal.Find(id) {
		found := &dashboardpb.Activation{
			Serial: a.Serial, Epoch: a.Token.Epoch, Counter: a.Token.Counter, View: a.View,
			Age: int64(a.Age), Over: a.Over, Gone: int64(a.Gone), End: dashboardpb.End(a.End), Handled: a.Handled,
		}
		for _, m := range a.Last {
			found.Last = append(found.Last, &dashboardpb.Message{
				Type: m.Type, Age: int64(m.Age), Took: int64(m.Took), Asked: m.Asked, Panicked: m.Panicked,
			})
		}
		reply.Activations = append(reply.Activations, found)
		if len(reply.Activations) == mostFound {
			break
		}
	}
	return reply
}
