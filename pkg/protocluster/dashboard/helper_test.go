package dashboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// secret is what no page may ever show: the content of messages.
const secret = "the-content-of-a-message"

// gallery is a cluster whose page is served by a client of it.
type gallery struct {
	*testkit.Cluster

	t         *testing.T
	client    *testkit.Node
	page      *dashboard.Page
	reporters map[int]*dashboard.Reporter
	address   string // where the page is served
	visitors  *testkit.Host
	end       func() // the page's; waits for it
}

type galleryConfig struct {
	reporter dashboard.ReporterConfig
	page     dashboard.Config
	lookup   cluster.IdentityLookup
	kind     cluster.Kind
}

// open opens a gallery of n members in a bubble.
func open(t *testing.T, n int, f func(g *gallery), adapt ...func(*galleryConfig)) {
	t.Helper()
	config := galleryConfig{reporter: dashboard.ReporterConfig{Names: true}, lookup: partition.New(), kind: users()}
	for _, a := range adapt {
		a(&config)
	}
	reporters := make(map[int]*dashboard.Reporter)
	watch := testkit.WithConfig(func(node int, c *cluster.Config) *cluster.Config {
		r := config.reporter
		r.Name = fmt.Sprintf("m%d", node+1)
		reporters[node] = dashboard.NewReporter(r)
		return reporters[node].Watch(c)
	})
	testkit.Run(t, n, func(t *testing.T, c *testkit.Cluster) {
		g := &gallery{Cluster: c, t: t, reporters: reporters, visitors: c.Network.Host("visitors")}
		for i, node := range c.Nodes() {
			reporters[i].Attach(node.Cluster)
		}
		g.client = c.AddClient()
		g.page = dashboard.NewPage(g.client.Cluster, reporters[n], config.page)
		g.serve()
		defer g.end()
		testkit.Advance(2 * time.Second)
		f(g)
	}, testkit.WithKinds(config.kind), testkit.WithLookup(config.lookup), watch)
}

// serve serves the page in the gallery's network.
func (g *gallery) serve() {
	g.t.Helper()
	l, err := g.Network.Host("page").Listen(g.t.Context(), ":80")
	if err != nil {
		g.t.Fatal(err)
	}
	g.address = l.Addr().String()
	ctx, cancel := context.WithCancel(g.t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := g.page.Serve(ctx, l); err != nil {
			g.t.Errorf("Serve = %v, want nil", err)
		}
	})
	g.end = sync.OnceFunc(func() {
		cancel()
		serving.Wait()
	})
}

// add starts one more member.
func (g *gallery) add() *testkit.Node {
	node := g.Add()
	g.reporters[len(g.reporters)-1].Attach(node.Cluster)
	return node
}

// users is a kind whose actors answer a string with their address, but for two,
// and stop for a number.
func users(opts ...cluster.KindOption) cluster.Kind {
	return cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case string:
			switch m {
			case "panic":
				panic(m)
			case "silence":
			default:
				ctx.Respond(ctx.Self().Address)
			}
		case int:
			ctx.Stop(ctx.Self())
			ctx.Respond("stopping")
		}
	}), opts...)
}

func user(name any) cluster.Identity {
	return cluster.Identity{Kind: "user", Identity: fmt.Sprint(name)}
}

// visit asks n users, and returns the address that each answers from.
func (g *gallery) visit(n int) map[cluster.Identity]string {
	g.t.Helper()
	at := make(map[cluster.Identity]string)
	for i := range n {
		at[user(i)] = g.ask(user(i), secret).(string)
	}
	return at
}

func (g *gallery) ask(id cluster.Identity, message any) any {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	reply, err := g.client.Request(ctx, id, message)
	if err != nil {
		g.t.Fatalf("Request(%s): %v", id, err)
	}
	return reply
}

// get has the page answer one request, without a network.
func get(page http.Handler, path string, adapt ...func(*http.Request)) *httptest.ResponseRecorder {
	return do(page, http.MethodGet, path, "", adapt...)
}

func do(page http.Handler, method, path, body string, adapt ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, a := range adapt {
		a(r)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w
}

// answer is what the page says of an identity.
type answer struct {
	Identity string
	Answer   string
	Where    string
	Error    string
	Dot      uint64
	Unasked  []string
	Stays    []struct {
		Address, Name, Token, Epoch, End, Why string
		Lives, Seen                           bool
		Handled                               uint64
		Last                                  []struct {
			Type, Outcome string
			Took          float64
		}
	}
}

func (g *gallery) find(id cluster.Identity) answer {
	g.t.Helper()
	w := get(g.page, "/identity?q="+id.String())
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		g.t.Fatalf("find %s: status %d, %v: %s", id, w.Code, err, w.Body)
	}
	if strings.Contains(w.Body.String(), secret) {
		g.t.Errorf("the answer shows what a message carries: %s", w.Body)
	}
	return a
}

// look opens the stream, and returns what a browser knows after a moment.
type look struct {
	state struct {
		Cluster    string
		Epoch      string
		Client     bool
		Identities int
		Each       int
		Twice      int
		Names      bool
		Members    []member
	}
	dots   map[string][]uint64
	names  map[string][]string
	events []string
	points []point
	bytes  int
}

type point struct {
	Requests, Handled, Median, Slow float64
	Failures, Unknown               int
}

type member struct {
	Address, Name, ID, Status, Trouble, Epoch string
	Colour, Identities                        int
	Heard, Answers, Leases, Leased            bool
	Lease, Silent                             int
	Rate                                      float64
}

func (l *look) member(t testing.TB, name string) member {
	t.Helper()
	for _, m := range l.state.Members {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("the page does not show %s: %+v", name, l.state.Members)
	return member{}
}

// told reports whether an event has all those words.
func (l *look) told(words ...string) bool {
	for _, e := range l.events {
		all := true
		for _, w := range words {
			all = all && strings.Contains(e, w)
		}
		if all {
			return true
		}
	}
	return false
}

// visitor is an HTTP client in the gallery's network.
func (g *gallery) visitor() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return g.visitors.Dial(ctx, g.address) },
	}}
}

// look reads the stream for a second.
func (g *gallery) look() *look {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Second)
	defer cancel()
	l := &look{dots: make(map[string][]uint64), names: make(map[string][]string)}
	g.stream(ctx, l)
	return l
}

// stream takes in the stream until it ends or ctx does.
func (g *gallery) stream(ctx context.Context, l *look) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/events", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := g.visitor().Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		text, _ := io.ReadAll(response.Body)
		g.t.Fatalf("the stream is %s: %s", kind, text)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	name := ""
	for lines.Scan() {
		line := lines.Text()
		l.bytes += len(line) + 1
		if strings.Contains(line, secret) {
			g.t.Errorf("the stream shows what a message carries: %s", line)
		}
		if event, ok := strings.CutPrefix(line, "event: "); ok {
			name = event
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			l.take(g.t, name, []byte(data))
		}
	}
}

func (l *look) take(t testing.TB, name string, data []byte) {
	t.Helper()
	var err error
	switch name {
	case "state":
		l.state.Members = nil
		err = json.Unmarshal(data, &l.state)
	case "dots":
		var d struct {
			Address string
			IDs     []uint64
			Names   []string
		}
		err = json.Unmarshal(data, &d)
		l.dots[d.Address], l.names[d.Address] = d.IDs, d.Names
	case "events":
		var events []struct{ Text string }
		err = json.Unmarshal(data, &events)
		for _, e := range events {
			l.events = append(l.events, e.Text)
		}
	case "points":
		var points []point
		err = json.Unmarshal(data, &points)
		l.points = append(l.points, points...)
	default:
		t.Errorf("the stream has an event %q", name)
	}
	if err != nil {
		t.Errorf("event %s: %v: %.200s", name, err, data)
	}
}
