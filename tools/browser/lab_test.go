//go:build integration

package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/protocluster/workshop/tools/browser"
)

// lab serves a page, and beside it actions that do nothing but be noted.
type lab struct {
	mu     sync.Mutex
	acts   []act // guarded by mu
	paused bool  // m1 is; guarded by mu
}

type act struct {
	ID     string `json:"id"`
	Target string `json:"target"`
	token  string
}

func (l *lab) serve(t *testing.T, page string) (address string) {
	t.Helper()
	to, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/live/", http.StripPrefix("/live", &httputil.ReverseProxy{
		FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
	}))
	mux.HandleFunc("GET /live/lab/actions", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		pause := map[string]any{"id": "pause", "label": "Pause", "help": "kill -STOP", "targets": []string{"m1", "m2", "m3"}}
		if l.paused {
			pause = map[string]any{"id": "resume", "label": "Resume", "targets": []string{"m1"}}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"token": "the-token", "actions": []any{
			map[string]any{"id": "kill", "label": "Kill", "help": "kill -9", "targets": []string{"m1", "m2", "m3"}}, pause,
			map[string]any{"id": "partition", "label": "Cut", "targets": []string{"m1 from m2"}},
			map[string]any{"id": "never", "label": "Never", "targets": []string{}},
		}})
	})
	mux.HandleFunc("POST /live/lab/actions", func(w http.ResponseWriter, r *http.Request) {
		a := act{token: r.Header.Get("X-Lab-Token")}
		_ = json.NewDecoder(r.Body).Decode(&a)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.acts = append(l.acts, a)
		if a.ID == "kill" {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "not while the rabbit looks"})
			return
		}
		l.paused = a.ID == "pause"
		_ = json.NewEncoder(w).Encode(map[string]string{"message": "m1 stands still"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/live/"
}

// Buttons are there where a lab is, wherever the page is mounted.
func buttons(t *testing.T, d *demo) {
	l := new(lab)
	b := openTab(t, browser.Screen{Width: 1280, Height: 720})
	b.load(l.serve(t, d.page))
	b.await("three members", threeUp)
	b.await("the cards have their buttons", `document.querySelectorAll('.card .acts button').length === 6`)
	b.await("the bar has the rest", `document.querySelectorAll('#lab button').length === 1`)
	b.save("page-light-lab.png")
	press := func(what, selector, until string) {
		t.Helper()
		if err := b.Click(selector); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		b.await(what, until)
	}
	notice := `document.getElementById('notice')`
	press("an error is shown", `.card[data-member=m2] [data-action=kill]`,
		notice+`.textContent === 'not while the rabbit looks' && `+notice+`.className === 'bad'`)
	press("a message is shown, and the new actions", `.card[data-member=m1] [data-action=pause]`,
		notice+`.textContent === 'm1 stands still' && document.querySelectorAll('[data-action=resume]').length === 1`)
	press("the bar works", `#lab [data-target="m1 from m2"]`, `document.querySelectorAll('[data-action=pause]').length === 3`)
	l.mu.Lock()
	defer l.mu.Unlock()
	want := []act{{"kill", "m2", "the-token"}, {"pause", "m1", "the-token"}, {"partition", "m1 from m2", "the-token"}}
	if len(l.acts) != len(want) {
		t.Fatalf("the lab was told %+v, want %+v", l.acts, want)
	}
	for i := range want {
		if l.acts[i] != want[i] {
			t.Errorf("the lab was told %+v, want %+v", l.acts[i], want[i])
		}
	}
}
