package dashboard

import (
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

//go:embed static
var static embed.FS

const (
	mostViewers  = 64 // streams at a time
	mostSearches = 16
	mostQuery    = 1024 // bytes of an identity to look for

	style  = "text/css; charset=utf-8"
	script = "text/javascript; charset=utf-8"
)

// router maps the page's own addresses; all else is not found.
func (p *Page) router() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("GET /identity", p.identity)
	mux.HandleFunc("POST /login", p.login)
	for name, kind := range map[string]string{
		"page.css": style, "nojs.css": style, "icon.svg": "image/svg+xml",
		"page.js": script, "map.js": script, "charts.js": script, "lab.js": script, "shapes.js": script,
	} {
		mux.HandleFunc("GET /"+name, file(name, kind))
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// file serves one embedded file.
func file(name, kind string) http.HandlerFunc {
	text, err := static.ReadFile("static/" + name)
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(text) // the reader may have gone
	}
}

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"+
		" form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case p.config.Token == "" && !localHost(r.Host):
		http.Error(w, fmt.Sprintf("dashboard: this page has no token, so it answers only under a loopback name, such as localhost,"+
			" and not as %q; give it a token to open it to others", r.Host), http.StatusForbidden)
	case p.config.Token != "" && r.URL.Path != "/login" && !p.admitted(r):
		p.ask(w, r)
	default:
		p.routes.ServeHTTP(w, r)
	}
}

// localHost reports whether a Host header names the reader's own machine. Any other
// may be a name that an attacker has pointed here.
func localHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}

// index shows the page, or what of it works without JavaScript.
func (p *Page) index(w http.ResponseWriter, r *http.Request) {
	now, _ := p.now.Load()
	view := plainPage{snapshot: now, Query: query(r)}
	if view.Query != "" {
		view.Found, view.Fault = p.search(r, view.Query)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if view.Fault != nil {
		w.WriteHeader(view.Fault.status)
	}
	_ = p.pages.ExecuteTemplate(w, "page.html", view) // the reader may have gone
}

// identity answers what is known of one identity, as JSON.
func (p *Page) identity(w http.ResponseWriter, r *http.Request) {
	found, fault := p.search(r, query(r))
	if fault != nil {
		reply(w, fault.status, map[string]string{"error": fault.text})
		return
	}
	reply(w, http.StatusOK, found)
}

func query(r *http.Request) string { return strings.TrimSpace(r.URL.Query().Get("q")) }

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the reader may have gone
}
