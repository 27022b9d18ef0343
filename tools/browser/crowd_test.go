//go:build integration

package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/protocluster/workshop/tools/browser"
)

const (
	crowdMembers = 20
	crowdDots    = 2048
)

// crowd serves the files of a page with the stream of a large cluster, in which half
// of all dots move each second.
func crowd(t *testing.T, page string) (address string) {
	t.Helper()
	to, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for n := 0; ; n++ {
			stir(w, n)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-second.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// stir writes the state of the second n.
func stir(w http.ResponseWriter, n int) {
	event := func(name string, value any) {
		text, _ := json.Marshal(value)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text)
	}
	var members []any
	ids := make([][]int, crowdMembers)
	for id := range crowdDots {
		at := id % crowdMembers
		if id%2 == 0 {
			at = (id + n) % crowdMembers
		}
		ids[at] = append(ids[at], 1+id*4_398_046_511)
	}
	for m := range crowdMembers {
		members = append(members, map[string]any{
			"address": fmt.Sprintf("10.0.0.%d:8080", m+1), "name": fmt.Sprintf("member-%d", m+1), "id": fmt.Sprint(m), "status": "up", "colour": m,
			"heard": true, "answers": true, "epoch": "1795707949041", "leases": true, "leased": true, "lease": 800 + m, "identities": 5000,
			"kinds": map[string]int{"user": 5000}, "rate": 100,
		})
	}
	event("state", map[string]any{
		"at": time.Now(), "cluster": "crowd", "epoch": "1795707949041", "members": members, "identities": 100_000, "each": 64,
	})
	for m := range ids {
		event("dots", map[string]any{"address": fmt.Sprintf("10.0.0.%d:8080", m+1), "version": n, "ids": ids[m]})
	}
}

// 100,000 identities on 20 members are as fluid as few.
func crowded(t *testing.T, d *demo) {
	b := openTab(t, browser.Screen{Width: 1920, Height: 1080, Before: counter, Dark: true})
	b.load(crowd(t, d.page))
	b.await("20 members and all dots", fmt.Sprintf(`document.querySelectorAll('.card[data-state=up]').length === %d
		&& document.getElementById('map').dataset.dots === '%d'`, crowdMembers, crowdDots))
	worked := countFrames(b)
	b.await("half of them move, and again", fmt.Sprintf(`document.getElementById('map').dataset.moves > %d`, 2*crowdDots))
	b.save("page-dark-crowd.png")
	fluid(t, b, crowdDots, worked)
}
