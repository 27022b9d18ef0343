package consultest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is a fake Consul: one agent that is its own server, as an
// http.Handler. It has what package consul asks for, answers as Consul 1.19
// does, and can be given faults. It keeps everything in memory and starts no
// goroutine; make it inside the bubble that uses it. Its methods may be called
// concurrently and take effect before they return.
type Server struct {
	mu       sync.Mutex
	index    uint64 // of the last change
	keys     map[string]*pair
	graves   map[string]uint64    // when keys were deleted
	delays   map[string]time.Time // until when keys must not be acquired
	sessions map[string]*session
	services map[string]*service
	rights   map[string][]string // by token; nil: everybody may do everything
	failing  int                 // requests that will fail
	requests []string
	changed  chan struct{} // closed at the next change
}

// NewServer returns a Consul that has just begun.
func NewServer() *Server {
	s := &Server{changed: make(chan struct{})}
	s.Reset()
	return s
}

// Reset loses everything, and counts from the beginning again, as an agent in
// development mode does when it is started again.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		x.expiry.Stop()
	}
	s.index = 1
	s.keys, s.graves, s.delays = map[string]*pair{}, map[string]uint64{}, map[string]time.Time{}
	s.sessions, s.services = map[string]*session{}, map[string]*service{}
	s.wake()
}

// FailNext has the next requests fail, and do nothing.
func (s *Server) FailNext(requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = requests
}

// Permit gives a token rights: "key:read", "key:write", "session:write" and
// "service:write". From the first call on nobody may do what is not permitted.
func (s *Server) Permit(token string, rights ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rights == nil {
		s.rights = map[string][]string{"": nil}
	}
	s.rights[token] = rights
}

// Requests are the method, path and query of what was asked so far that
// contains all of the words.
func (s *Server) Requests(words ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, r := range s.requests {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r, w) }) {
			found = append(found, r)
		}
	}
	return found
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	fails := s.failing > 0
	if fails {
		s.failing--
	}
	s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	switch {
	case fails:
		http.Error(w, "rpc error making call: No cluster leader", http.StatusInternalServerError)
	case !ok:
		http.NotFound(w, r)
	case strings.HasPrefix(path, "kv/") && r.Method == http.MethodGet:
		s.list(w, r, strings.TrimPrefix(path, "kv/"))
	case r.Method == http.MethodPut:
		s.put(w, r, path)
	default:
		http.NotFound(w, r)
	}
}

// refused is an answer other than 200.
type refused struct {
	status int
	text   string
}

func (e *refused) Error() string { return e.text }

func refuse(status int, format string, args ...any) error {
	return &refused{status, fmt.Sprintf(format, args...)}
}

// put does all that changes something.
func (s *Server) put(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer any
	var err error
	switch head, id := split(path); head {
	case "kv":
		answer, err = s.putKey(r, id)
	case "txn":
		answer, err = s.transact(r)
	case "session/create":
		answer, err = s.createSession(r)
	case "session/renew":
		answer, err = s.renewSession(r, id)
	case "session/destroy":
		answer, err = s.destroySession(r, id)
	case "agent/service/register":
		err = s.register(r)
	case "agent/service/deregister":
		err = s.deregister(r, id)
	case "agent/check/update":
		err = s.updateCheck(r, id)
	default:
		err = refuse(http.StatusNotFound, "Invalid URL path: not a recognized HTTP API endpoint")
	}
	status := http.StatusOK
	if refusal, ok := err.(*refused); ok { //nolint:errorlint // it is never wrapped
		http.Error(w, refusal.text, refusal.status)
		return
	}
	if conflict, ok := answer.(conflict); ok {
		faults := []any{map[string]any{"OpIndex": 0, "What": string(conflict)}}
		status, answer = http.StatusConflict, map[string]any{"Results": nil, "Errors": faults}
	}
	reply(w, status, answer)
}

// split cuts path into what to do and to what.
func split(path string) (head, id string) {
	for _, head := range []string{"kv", "session/renew", "session/destroy", "agent/service/deregister", "agent/check/update"} {
		if id, ok := strings.CutPrefix(path, head+"/"); ok {
			return head, id
		}
	}
	return path, ""
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// may checks the token's right; the caller holds the mutex.
func (s *Server) may(r *http.Request, right, what string) error {
	if s.rights == nil {
		return nil
	}
	rights, known := s.rights[r.Header.Get("X-Consul-Token")]
	switch write, read := strings.CutSuffix(right, ":read"); {
	case !known:
		return refuse(http.StatusForbidden, "ACL not found")
	case slices.Contains(rights, right), read && slices.Contains(rights, write+":write"):
		return nil
	}
	return refuse(http.StatusForbidden, "Permission denied: token with AccessorID '0-2' lacks permission '%s' on %q", right, what)
}

// step counts a change; the caller holds the mutex.
func (s *Server) step() uint64 {
	s.index++
	s.wake()
	return s.index
}

func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
