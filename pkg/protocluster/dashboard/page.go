package dashboard

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/latest"
)

// linger is how long a member is shown, and asked, after it left the view.
const linger = time.Minute

// Config says how a page works. Zero fields mean the defaults.
type Config struct {
	// Token is what people have to show to see the page, and what the page shows
	// to the members' reporters; "" means none, and then the page answers only
	// those who reach it under a loopback name or address.
	Token string
	// Interval is how often the members are asked; 0 means 250 ms.
	Interval time.Duration
}

// Page is the live page of a cluster: a http.Handler that may be mounted below any
// path, with http.StripPrefix. What it shows is kept up to date while Run runs.
type Page struct {
	node     *cluster.Cluster
	reporter *Reporter
	config   Config
	pages    *template.Template
	routes   http.Handler
	now      *latest.Value[*snapshot]
	viewers  chan struct{} // as many as look on
	searches chan struct{} // as many as are under way
	dossiers dossiers
	over     chan struct{} // closed when Run has ended
	once     sync.Once
}

// NewPage returns the page that a node shows, whose reporter it attaches to it.
// The node may be a member or a client, and need not have joined yet.
func NewPage(node *cluster.Cluster, reporter *Reporter, config Config) *Page {
	reporter.Attach(node)
	if config.Interval <= 0 {
		config.Interval = 250 * time.Millisecond
	}
	p := &Page{node: node, reporter: reporter, config: config, now: latest.New(&snapshot{Cluster: reporter.cluster}),
		viewers: make(chan struct{}, mostViewers), searches: make(chan struct{}, mostSearches), over: make(chan struct{})}
	p.pages, p.routes = templates(), p.router()
	return p
}

// Run asks the members until ctx ends, and then has the streams of all viewers end.
// It is called once, and returns nil when all that it began has ended.
func (p *Page) Run(ctx context.Context) error {
	first := false
	p.once.Do(func() { first = true })
	if !first {
		return errors.New("dashboard: the page runs already, or has run; make another with NewPage")
	}
	defer close(p.over)
	tasks := background.NewTasks(ctx)
	views := make(chan *cluster.View)
	tasks.Go("views", func(ctx context.Context) {
		for view := range p.node.Views(ctx) {
			select {
			case views <- view:
			case <-ctx.Done():
				return
			}
		}
	})
	c := newComposer(p, tasks)
	ticker := time.NewTicker(p.config.Interval)
	defer ticker.Stop()
	for {
		select {
		case view := <-views:
			c.look(view, time.Now())
		case <-ticker.C:
			c.compose(time.Now())
		case <-ctx.Done():
			return tasks.Stop(context.WithoutCancel(ctx))
		}
	}
}
