package dashboard_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// subscribe opens a stream that nobody reads.
func (g *gallery) subscribe(ctx context.Context) *http.Response {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/events", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := g.visitor().Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	return response
}

func TestStream_EndsWithThePage(t *testing.T) {
	open(t, 1, func(g *gallery) {
		l := &look{dots: make(map[string][]uint64), names: make(map[string][]string)}
		var reading sync.WaitGroup
		reading.Go(func() { g.stream(g.t.Context(), l) })
		testkit.Advance(3 * time.Second)
		began := time.Now()
		g.end()
		reading.Wait() // else the bubble would find that everybody waits
		if took := time.Since(began); took > time.Second || l.state.Cluster != "testkit" {
			t.Errorf("the stream ended after %v, having told of %q; want at once, of testkit", took, l.state.Cluster)
		}
	})
}

func TestStream_EndsWithItsReader(t *testing.T) {
	open(t, 1, func(g *gallery) {
		for range 200 { // more than may look on at once
			ctx, cancel := context.WithCancel(g.t.Context())
			response := g.subscribe(ctx)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("status %d, want 200: streams whose reader has gone are in the way", response.StatusCode)
			}
			cancel()
			_ = response.Body.Close()
			synctest.Wait()
			testkit.Advance(300 * time.Millisecond)
		}
	})
}

func TestStream_AReaderThatDoesNotReadIsLetGo(t *testing.T) {
	open(t, 3, func(g *gallery) {
		g.visit(population)
		response := g.subscribe(g.t.Context())
		defer response.Body.Close()
		for range 15 { // more than the connection holds
			testkit.Advance(5 * time.Second)
			g.ask(user(1), secret)
		}
		l := g.look() // others are served meanwhile
		if l.state.Identities != population {
			t.Errorf("another reader sees %+v", l.state)
		}
		n := 0
		for lines := bufio.NewScanner(response.Body); lines.Scan() && n < 10_000; {
			n++
		}
		if n == 0 || n == 10_000 { // it would go on for ever
			t.Errorf("the stream that nobody read held %d lines, want it ended by the page", n)
		}
	})
}

func TestStream_IsForSoManyAtATime(t *testing.T) {
	open(t, 1, func(g *gallery) {
		for range 64 {
			if response := g.subscribe(g.t.Context()); response.StatusCode != http.StatusOK {
				t.Fatalf("status %d, want 200", response.StatusCode)
			} else {
				defer response.Body.Close()
			}
		}
		response := g.subscribe(g.t.Context())
		defer response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
			t.Errorf("status %d for one more, want 503 and when to try again", response.StatusCode)
		}
	})
}

// A browser that comes back gets all that it needs again.
func TestStream_BeginsWithEverything(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.visit(population)
		testkit.Advance(time.Minute)
		first, second := g.look(), g.look()
		if len(dotsOf(t, first)) != population || len(dotsOf(t, second)) != population || len(second.points) < 60 {
			t.Errorf("the second look has %d dots and %d points, want all", len(dotsOf(t, second)), len(second.points))
		}
	})
}

// While nothing changes, little is sent.
func TestStream_SendsWhatIsNew(t *testing.T) {
	open(t, 3, func(g *gallery) {
		g.visit(population)
		ctx, cancel := context.WithTimeout(g.t.Context(), 41*time.Second)
		defer cancel()
		l := &look{dots: make(map[string][]uint64), names: make(map[string][]string)}
		g.stream(ctx, l)
		if perSecond := l.bytes / 41; perSecond > 8<<10 {
			t.Errorf("%d bytes a second for 3 members at rest, want at most 8 KiB", perSecond)
		}
	})
}

func TestServe_ReturnsWhenTheListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := testkit.NewNetwork().Host("page").Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		page := lonelyPage()
		if err := page.Serve(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "dashboard: ") {
			t.Errorf("Serve = %v, want why it does not serve", err)
		}
		var _ http.Handler = (*dashboard.Page)(nil)
	})
}
