package dashboard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// mostForm bounds what a login may send.
const mostForm = 4096

// pass is what the cookie holds: not the token, from which it is made.
func (p *Page) pass() string { return p.proof("pass of the dashboard") }

// cookie is its name. Pages at several ports of a host share its cookies, so those
// of different tokens have different names.
func (p *Page) cookie() string { return "protocluster-dashboard-" + p.proof("name of the cookie")[:8] }

// proof is what only those can make who know the token, and does not tell it.
func (p *Page) proof(of string) string {
	mac := hmac.New(sha256.New, []byte(p.config.Token))
	_, _ = mac.Write([]byte(of)) // it cannot fail
	return hex.EncodeToString(mac.Sum(nil))
}

// admitted reports whether a request shows the token: as a bearer, as the password
// of anybody, or by the cookie of a login.
func (p *Page) admitted(r *http.Request) bool {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(bearer, p.config.Token)
	}
	if _, password, ok := r.BasicAuth(); ok {
		return same(password, p.config.Token)
	}
	cookie, err := r.Cookie(p.cookie())
	return err == nil && same(cookie.Value, p.pass())
}

// ask has a person show the token. Programs are told how to.
func (p *Page) ask(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		if token := r.URL.Query().Get("token"); token != "" && same(token, p.config.Token) {
			p.enter(w, r)
			return
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == "/page.css" || r.URL.Path == "/icon.svg" { // of the form
		p.routes.ServeHTTP(w, r)
		return
	}
	if r.URL.Path != "/" {
		http.Error(w, "dashboard: this page takes a token; send it as a bearer, in the header Authorization", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_ = p.pages.ExecuteTemplate(w, "login.html", r.URL.Query().Has("token") || r.URL.Query().Has("wrong")) // the reader may have gone
}

// login takes the token of the form.
func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "dashboard: the form cannot be read", http.StatusBadRequest)
		return
	}
	if p.config.Token == "" || same(r.PostForm.Get("token"), p.config.Token) {
		p.enter(w, r)
		return
	}
	redirect(w, "./?wrong")
}

// redirect sends a browser to an address that is relative to the page's, which may
// be mounted anywhere.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// enter gives a browser its cookie, and takes the token out of its address.
func (p *Page) enter(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookie(), Value: p.pass(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	redirect(w, "./")
}
