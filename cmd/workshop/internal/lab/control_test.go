//go:build unix

package lab_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
)

// served is a lab with its control server.
type served struct {
	*fake

	url   string
	ended chan error
}

// serve starts the control server in front of a client's page.
func serve(t *testing.T, cases string) *served {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, " asked for ", r.URL) }))
	t.Cleanup(page.Close)
	s := &served{fake: machine(t, cases), ended: make(chan error, 1)}
	at := port(t)
	s.url = fmt.Sprint("http://127.0.0.1:", at)
	s.runs(at, page.Listener.Addr().(*net.TCPAddr).Port)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		s.ended <- s.Serve(ctx)
		close(stopped)
	}()
	t.Cleanup(func() {
		cancel()
		<-stopped
	})
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", at)); err == nil {
			_ = c.Close()
			return s
		}
	}
	t.Fatal("the control server does not listen")
	return nil
}

// ask makes a request with headers, written one after another, and returns what
// came back.
func (s *served) ask(method, path, body string, headers ...string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			request.Host = pair[1]
		}
		request.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestServe_OffersWhatCanBeDoneNow(t *testing.T) {
	s := serve(t, `ps*) printf 'c1|member-1|running|Up 7 seconds (healthy)\nc2|member-2|paused|Up 7 seconds (Paused)\nc3|member-3|exited|Exited (137)\n' ;;`)
	fixture.Write(t, s.root, "networks-c1", "test_link-1-2 test_link-1-3 test_link-1-client")
	status, text := s.ask(http.MethodGet, "/lab/actions", "")
	var got struct {
		Token   string
		Actions []struct {
			ID      lab.Verb
			Label   string
			Help    string
			Targets []string
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusOK || got.Token != token {
		t.Fatalf("%d, %s: %v; want the token and actions", status, text, err)
	}
	offered := map[lab.Verb][]string{}
	for _, a := range got.Actions {
		offered[a.ID] = a.Targets
		if a.Label == "" || a.Help == "" {
			t.Errorf("%s has the label %q and the help %q, want both", a.ID, a.Label, a.Help)
		}
	}
	want := map[lab.Verb][]string{
		lab.Kill: {"member-1"}, lab.Pause: {"member-1"}, lab.Resume: {"member-2"}, lab.Restart: {"member-1", "member-3"},
		lab.Partition: {"member-1 from member-2", "member-1 from member-3"}, lab.Heal: {"member-1 from consul"},
	}
	if fmt.Sprint(offered) != fmt.Sprint(want) {
		t.Errorf("offered = %v, want %v", offered, want)
	}
}

func TestServe_DoesWhatAButtonSays(t *testing.T) {
	s := serve(t, "kill*) ;; network*) ;;")
	status, text := s.ask(http.MethodPost, "/lab/actions", `{"id":"kill","target":"member-2"}`, "X-Lab-Token", token, "Origin", s.url)
	if status != http.StatusOK || text != `{"message":"kill member-2: done"}`+"\n" {
		t.Errorf("the answer is %d, %s", status, text)
	}
	s.ask(http.MethodPost, "/lab/actions", `{"id":"partition","target":"member-1 from member-2"}`, "X-Lab-Token", token)
	for _, want := range []string{"kill c2", "network disconnect test_link-1-2 c1"} {
		if !slices.Contains(s.calls(), want) {
			t.Errorf("docker was called with %q, want %q among them", s.calls(), want)
		}
	}
	status, text = s.ask(http.MethodPost, "/lab/actions", `{"id":"eat","target":"member-2"}`, "X-Lab-Token", token)
	if status != http.StatusConflict || !strings.Contains(text, `"error"`) {
		t.Errorf("an unknown action is answered with %d, %s", status, text)
	}
}

func TestServe_OnlyThePageItselfMayAct(t *testing.T) {
	s := serve(t, "kill*) ;;")
	const order = `{"id":"kill","target":"member-1"}`
	rows := []struct {
		name               string
		method, path, body string
		headers            []string
		want               int
	}{
		{"no token", http.MethodPost, "/lab/actions", order, nil, http.StatusForbidden},
		{"a wrong token", http.MethodPost, "/lab/actions", order, []string{"X-Lab-Token", "guess"}, http.StatusForbidden},
		{"another site", http.MethodPost, "/lab/actions", order, []string{"X-Lab-Token", token, "Origin", "http://evil.example"}, http.StatusForbidden},
		{"another port", http.MethodPost, "/lab/actions", order, []string{"X-Lab-Token", token, "Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
		{"what the browser calls cross-site", http.MethodPost, "/lab/actions", order, []string{"X-Lab-Token", token, "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"another name for this machine", http.MethodGet, "/lab/actions", "", []string{"Host", "rebound.example"}, http.StatusForbidden},
		{"its address at another port", http.MethodGet, "/", "", []string{"Host", "127.0.0.1:1"}, http.StatusForbidden},
		{"another method", http.MethodDelete, "/lab/actions", "", []string{"X-Lab-Token", token}, http.StatusMethodNotAllowed},
		{"no JSON", http.MethodPost, "/lab/actions", "kill", []string{"X-Lab-Token", token}, http.StatusBadRequest},
		{"to stop it without the token", http.MethodPost, "/lab/stop", "", nil, http.StatusForbidden},
		{"to stop it by a link", http.MethodGet, "/lab/stop", "", []string{"X-Lab-Token", token}, http.StatusForbidden},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if status, text := s.ask(row.method, row.path, row.body, row.headers...); status != row.want || strings.Contains(text, token) {
				t.Errorf("the answer is %d, %s, want %d", status, text, row.want)
			}
		})
	}
	if calls := s.calls(); len(calls) > 0 {
		t.Errorf("docker was called with %q", calls)
	}
}

func TestServe_AllElseIsTheClientsPage(t *testing.T) {
	s := serve(t, "none) ;;")
	if status, text := s.ask(http.MethodGet, "/identity?user=1", ""); status != http.StatusOK || text != strings.TrimPrefix(s.url, "http://")+" asked for /identity?user=1" {
		t.Errorf("the answer is %d, %s", status, text)
	}
}

func TestServe_EndsWithTheLab(t *testing.T) {
	s := serve(t, "none) ;;")
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}
