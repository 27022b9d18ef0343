package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
)

const passwd = "a-token-of-the-page"

// lonelyPage is the page of a node that has not joined.
func lonelyPage(adapt ...func(*dashboard.Config)) *dashboard.Page {
	var config dashboard.Config
	for _, a := range adapt {
		a(&config)
	}
	return dashboard.NewPage(cluster.New(actor.NewSystem(), nil), dashboard.NewReporter(dashboard.ReporterConfig{}), config)
}

func locked(c *dashboard.Config) { c.Token = passwd }

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestHandler_WithoutATokenAnswersOnlyUnderALoopbackName(t *testing.T) {
	page := lonelyPage()
	for name, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:8080": 200, "127.8.9.1": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:8080": 403, "10.0.0.1:8080": 403, "localhost.evil.example": 403, "": 403, "0.0.0.0": 403,
	} {
		for _, path := range []string{"/", "/identity?q=user/1", "/page.js"} {
			if w := get(page, path, host(name)); w.Code != want {
				t.Errorf("%s under the name %q = %d, want %d", path, name, w.Code, want)
			}
		}
	}
}

func TestHandler_ATokenIsAskedFor(t *testing.T) {
	page := lonelyPage(locked)
	basic := func(password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth("anybody", password) }
	}
	rows := []struct {
		name string
		show func(*http.Request)
		want int
	}{
		{"nothing", func(*http.Request) {}, 401},
		{"a bearer", header("Authorization", "Bearer "+passwd), 200},
		{"another bearer", header("Authorization", "Bearer "+passwd+"x"), 401},
		{"an empty bearer", header("Authorization", "Bearer "), 401},
		{"a password", basic(passwd), 200},
		{"another password", basic(""), 401},
		{"the token as the cookie", header("Cookie", cookieName()+"="+passwd), 401},
		{"another name of the host", host("evil.example"), 401},
	}
	for _, row := range rows {
		for _, path := range []string{"/", "/identity?q=user/1", "/page.js", "/nowhere"} {
			want := row.want
			if path == "/nowhere" && want == 200 {
				want = 404
			}
			if w := get(page, path, row.show); w.Code != want {
				t.Errorf("%s: %s = %d, want %d", row.name, path, w.Code, want)
			}
		}
	}
}

// cookieName is that of the cookie that a locked page gives.
func cookieName() string {
	return do(lonelyPage(locked), http.MethodPost, "/login", "token="+passwd).Result().Cookies()[0].Name
}

func TestHandler_ALoginGivesACookie(t *testing.T) {
	page := lonelyPage(locked)
	for name, w := range map[string]*http.Response{
		"a form":      do(page, http.MethodPost, "/login", "token="+passwd).Result(),
		"the address": get(page, "/?token="+passwd).Result(),
	} {
		cookies := w.Cookies()
		if w.StatusCode != http.StatusSeeOther || w.Header.Get("Location") != "./" || len(cookies) != 1 {
			t.Fatalf("%s: status %d to %q with %d cookies, want a redirect to ./ with one", name, w.StatusCode, w.Header.Get("Location"), len(cookies))
		}
		c := cookies[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, passwd) {
			t.Errorf("%s: the cookie is %v, want one for this site and no script, without the token", name, c)
		}
		if w := get(page, "/", func(r *http.Request) { r.AddCookie(c) }); w.Code != 200 {
			t.Errorf("%s: the page with the cookie = %d, want 200", name, w.Code)
		}
		other := lonelyPage(func(c *dashboard.Config) { c.Token = passwd + "2" })
		if w := get(other, "/", func(r *http.Request) { r.AddCookie(c) }); w.Code != 401 {
			t.Errorf("%s: a page of another token takes the cookie", name)
		}
		if theirs := do(other, http.MethodPost, "/login", "token="+passwd+"2").Result().Cookies(); len(theirs) != 1 || theirs[0].Name == c.Name {
			t.Errorf("%s: a page of another token gives cookies %v, want one of another name, as it may be at another port of the host", name, theirs)
		}
	}
	for _, body := range []string{"token=wrong", "", "token=" + strings.Repeat("x", 1<<20), "%zz"} {
		if w := do(page, http.MethodPost, "/login", body); len(w.Result().Cookies()) > 0 || w.Code == 200 {
			t.Errorf("a login with %.20q = %d with %d cookies, want none", body, w.Code, len(w.Result().Cookies()))
		}
	}
}

// Another site cannot have a browser do anything here.
func TestHandler_RefusesOtherOrigins(t *testing.T) {
	page := lonelyPage(locked)
	for _, show := range []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Origin", "http://evil.example")} {
		if w := do(page, http.MethodPost, "/login", "token="+passwd, show); w.Code != http.StatusForbidden || len(w.Result().Cookies()) > 0 {
			t.Errorf("a login from another site = %d, want 403", w.Code)
		}
	}
	w := get(lonelyPage(), "/", header("Origin", "http://evil.example"))
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("the page lets other sites read it")
	}
}

func TestHandler_ChangesNothing(t *testing.T) {
	page := lonelyPage()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		for _, path := range []string{"/", "/events", "/identity?q=user/1", "/lab/actions", "/page.js"} {
			if w := do(page, method, path, "x=1"); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
				t.Errorf("%s %s = %d, want 405 or 404", method, path, w.Code)
			}
		}
	}
}

func TestHandler_ServesItsOwnFilesAndNothingElse(t *testing.T) {
	page := lonelyPage()
	for _, path := range []string{
		"/lab/actions", "/static/page.js", "/page.html", "/login.html", "/handler.go", "/../handler.go", "/static/../handler.go",
		"/%2e%2e/handler.go", "/..%2fhandler.go", "/page.js/../../handler.go", "//etc/passwd", "/page.js%00", "/.", "/static/",
	} {
		r := &http.Request{Method: http.MethodGet, Host: "localhost", URL: &url.URL{Path: path}, Header: http.Header{}}
		if unescaped, err := url.PathUnescape(path); err == nil {
			r.URL.Path, r.URL.RawPath = unescaped, path
		}
		w := get(page, "/", func(given *http.Request) { given.URL = r.URL })
		if w.Code == http.StatusOK {
			t.Errorf("GET %s = 200", path)
		}
	}
}

// Whatever the page needs is here, within 150 KB, and no site beyond.
func TestHandler_IsSmallAndNeedsNobodyElse(t *testing.T) {
	page := lonelyPage()
	index := get(page, "/")
	total := index.Body.Len()
	seen := map[string]bool{}
	links := regexp.MustCompile(`(?:href|src)="([^"#]+)|from "\./([^"]+)"|url\(([^)]+)\)`)
	queue := []string{index.Body.String()}
	for len(queue) > 0 {
		for _, match := range links.FindAllStringSubmatch(queue[0], -1) {
			name := match[1] + match[2] + match[3]
			if seen[name] {
				continue
			}
			seen[name] = true
			w := get(page, "/"+name)
			if strings.Contains(name, ":") || w.Code != 200 {
				t.Errorf("the page needs %q, which is not here: %d", name, w.Code)
			}
			total += w.Body.Len()
			queue = append(queue, w.Body.String())
		}
		queue = queue[1:]
	}
	if len(seen) != 8 {
		t.Errorf("the page needs %v, want all 8 of its files", seen)
	}
	t.Logf("%d bytes", total)
	if total > 150_000 {
		t.Errorf("the page has %d bytes, want at most 150,000", total)
	}
	policy := index.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy of the page is %q", policy)
	}
	if strings.Contains(index.Body.String(), "style=") || strings.Contains(index.Body.String(), "onclick") {
		t.Error("the page has what its policy does not allow")
	}
}

func TestHandler_IsOfUseWithoutJavaScript(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.visit(20)
		g.look() // a moment
		text := get(g.page, "/?q=user/1").Body.String()
		for _, want := range []string{"<th>m1</th>", "<th>m2</th>", "<td>up</td>", "user/1 is on m", "fencing token", "string, asked", "The last second", "What happened"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page lacks %q:\n%s", want, text)
			}
		}
		if w := get(g.page, "/?q=nonsense"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "write it as kind/identity") {
			t.Errorf("a search for nonsense = %d, want 400 and what to do", w.Code)
		}
	})
}

func TestCheck(t *testing.T) {
	rows := []struct{ name, address, token, want string }{
		{"loopback", "127.0.0.1:8080", "", ""},
		{"loopback by name", "localhost:0", "", ""},
		{"loopback of version 6", "[::1]:8080", "", ""},
		{"everywhere", "0.0.0.0:8080", "", "set a token, or listen on 127.0.0.1:8080"},
		{"everywhere, unsaid", ":8080", "", "set a token, or listen on 127.0.0.1:8080"},
		{"another address", "10.0.0.1:8080", "", "set a token"},
		{"with a token", "0.0.0.0:8080", passwd, ""},
		{"with a short one", "0.0.0.0:8080", "secret", "openssl rand"},
		{"no address", "8080", "", "host:port, such as 127.0.0.1:8080"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := dashboard.Check(row.address, row.token)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Check(%q, %q) = %v, want %q", row.address, row.token, err, row.want)
			}
			if row.want == "" {
				return // not everybody is to reach a test
			}
			l, err := lonelyPage(func(c *dashboard.Config) { c.Token = row.token }).Listen(t.Context(), row.address)
			if err == nil {
				_ = l.Close()
				t.Error("Listen does not refuse it")
			}
		})
	}
}
