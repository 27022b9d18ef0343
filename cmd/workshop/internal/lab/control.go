package lab

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// The control server is a process on this machine, and not in a container: no
// container can reach Docker. It serves the client's page, and beside it
//
//	GET  lab/actions  what can be done now, and the token that doing it takes
//	POST lab/actions  {"id":"kill","target":"member-1"}, with that token as X-Lab-Token
//	GET  lab/ready    with the token: yes
//	POST lab/stop     with the token: the server ends
//
// A page from elsewhere cannot read the token, as browsers let nobody read across
// sites; one that has a name for 127.0.0.1 of its own is found out by the Host.

const tokenHeader = "X-Lab-Token"

// offer is one action that the page has a button for.
type offer struct {
	ID      Verb     `json:"id"`
	Label   string   `json:"label"`
	Help    string   `json:"help"`
	Targets []string `json:"targets"`
}

// control is the server.
type control struct {
	lab   *Lab
	state *state
	page  http.Handler
	stop  context.CancelFunc
}

// Serve is the control server of the lab that runs, until ctx ends or Down asks it
// to.
func (l *Lab) Serve(ctx context.Context) error {
	s, err := l.state()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newControl(l, s, cancel), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	<-ctx.Done()
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer done()
	if server.Shutdown(grace) != nil { // streams do not end by themselves
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newControl(l *Lab, s *state, stop context.CancelFunc) *control {
	target := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", s.ClientPort)}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // which the page checks as well
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "The client does not answer; go tool workshop lab status says what runs. "+err.Error(), http.StatusBadGateway)
		},
		FlushInterval: -1, // events are streamed
	}
	return &control{lab: l, state: s, page: proxy, stop: stop}
}

// ServeHTTP implements http.Handler.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.here(r.Host) {
		http.Error(w, fmt.Sprintf("the lab is at http://127.0.0.1:%d", c.state.Port), http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/lab/actions":
		c.actions(w, r)
	case "/lab/ready", "/lab/stop":
		stop := r.URL.Path == "/lab/stop"
		if stop && r.Method != http.MethodPost || !c.may(r) {
			reply(w, http.StatusForbidden, "error", "this takes the lab's token")
			return
		}
		reply(w, http.StatusOK, "message", "this is the lab's control server")
		if stop {
			c.stop()
		}
	default:
		c.page.ServeHTTP(w, r)
	}
}

// here reports whether somebody means this server by its own name.
func (c *control) here(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == fmt.Sprint(c.state.Port) && (name == "127.0.0.1" || name == "localhost" || name == "::1")
}

// may reports whether a request has the token, and comes from the page itself or
// from no page.
func (c *control) may(r *http.Request) bool {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(c.state.Token)) != 1 {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}

func reply(w http.ResponseWriter, status int, key, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{key: text}) // who has gone does not hear it
}

func (c *control) actions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodGet:
		offers, err := c.lab.offers(r.Context())
		if err != nil {
			reply(w, http.StatusServiceUnavailable, "error", err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token": c.state.Token, "actions": offers}) // as above
	case http.MethodPost:
		c.act(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		reply(w, http.StatusMethodNotAllowed, "error", "GET tells what can be done, POST does it")
	}
}

// act does what a button says.
func (c *control) act(w http.ResponseWriter, r *http.Request) {
	if !c.may(r) {
		reply(w, http.StatusForbidden, "error", "this takes the lab's token; load the page again")
		return
	}
	var order struct {
		ID     Verb   `json:"id"`
		Target string `json:"target"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&order); err != nil {
		reply(w, http.StatusBadRequest, "error", `write JSON such as {"id":"kill","target":"member-1"}`)
		return
	}
	who, with, _ := strings.Cut(order.Target, apart)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute) // a page that is closed undoes nothing
	defer cancel()
	if err := c.lab.Do(ctx, order.ID, who, with); err != nil {
		reply(w, http.StatusConflict, "error", err.Error())
		return
	}
	reply(w, http.StatusOK, "message", fmt.Sprintf("%s: done", strings.TrimSpace(fmt.Sprint(order.ID, " ", order.Target))))
}

// apart stands between two who are cut.
const apart = " from "

// offers are what can be done to the lab as it is.
func (l *Lab) offers(ctx context.Context) ([]offer, error) {
	all, err := l.containers(ctx)
	if err != nil {
		return nil, err
	}
	cuts, err := l.cuts(ctx, all)
	if err != nil {
		return nil, err
	}
	by := make(map[Verb][]string)
	for i, name := range Members {
		switch all[name].State {
		case "running":
			for _, verb := range []Verb{Kill, Pause, Restart} {
				by[verb] = append(by[verb], name)
			}
			for _, other := range append([]string{"consul"}, Members[i+1:]...) {
				by[Partition] = append(by[Partition], name+apart+other)
			}
		case "paused":
			by[Resume] = append(by[Resume], name)
		case "exited":
			by[Restart] = append(by[Restart], name)
		}
	}
	for _, cut := range cuts {
		pair := strings.Join(cut[:], apart)
		by[Heal] = append(by[Heal], pair)
		by[Partition] = slices.DeleteFunc(by[Partition], func(p string) bool { return p == pair })
	}
	var offers []offer
	for _, o := range []offer{
		{ID: Kill, Label: "Kill", Help: "ends the process at once, as kill -9 does"},
		{ID: Pause, Label: "Pause", Help: "has it stand still: it neither dies nor knows"},
		{ID: Resume, Label: "Resume", Help: "lets it go on where it stood"},
		{ID: Partition, Label: "Cut", Help: "takes away the network between the two, and nothing else"},
		{ID: Heal, Label: "Heal", Help: "gives the network back"},
		{ID: Restart, Label: "Restart", Help: "has it leave as it should, and come back"},
	} {
		if o.Targets = by[o.ID]; len(o.Targets) > 0 {
			offers = append(offers, o)
		}
	}
	return offers, nil
}

// startControl starts the control server as a process that outlives this one, and
// returns when it answers.
func (l *Lab) startControl(ctx context.Context, s *state) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(l.path("control.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(program, "lab", "serve", "-project", l.Project) //nolint:noctx // Down ends it
	command.Dir, command.Stdout, command.Stderr = l.Root, log, log
	detach(command)
	if err := command.Start(); err != nil {
		return fmt.Errorf("the control server cannot be started: %w", err)
	}
	defer func() { _ = command.Process.Release() }() // it is on its own now
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for l.ask(ctx, s, http.MethodGet, "/lab/ready") != nil {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			text, _ := os.ReadFile(l.path("control.log")) // what there is of it
			return fmt.Errorf("the control server does not answer: %s; go tool workshop lab down, then up, tries again",
				lastLine(string(text), "it said nothing"))
		}
	}
	return nil
}

// stopControl ends the control server that has the token of the lab, if one answers.
func (l *Lab) stopControl(ctx context.Context) error {
	s, err := l.state()
	if err != nil {
		return nil // then there is none
	}
	if err := l.ask(ctx, s, http.MethodPost, "/lab/stop"); err != nil {
		return nil // it has ended, or the port is somebody else's
	}
	deadline, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for available(deadline, s.Port) != nil {
		select {
		case <-deadline.Done():
			return fmt.Errorf("the control server at port %d does not end; end it yourself", s.Port)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// ask makes a request to the control server.
func (l *Lab) ask(ctx context.Context, s *state, method, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://127.0.0.1:%d%s", s.Port, path), nil)
	if err != nil {
		return err
	}
	request.Header.Set(tokenHeader, s.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the control server says %s", response.Status)
	}
	return nil
}
