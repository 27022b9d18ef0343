package consultest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is Consul's default for a value and for a transaction.
const maxBody = 512 << 10

// pair is a key and its value, as Consul writes it in JSON.
type pair struct {
	LockIndex   uint64
	Key         string
	Flags       uint64
	Value       []byte // null if empty
	Session     string `json:",omitempty"`
	CreateIndex uint64
	ModifyIndex uint64
}

// Value is what a key holds, nil if it does not exist.
func (s *Server) Value(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.keys[key]; p != nil {
		return append([]byte{}, p.Value...)
	}
	return nil
}

// SetValue writes a key as somebody does by hand; nil deletes it.
func (s *Server) SetValue(key string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value == nil {
		s.remove(key)
		return
	}
	s.write(key, value)
}

// Snapshot returns a function that restores the keys as they are now, with
// their indexes, as Consul does from a backup: what changes next has a newer
// index, and waits end.
func (s *Server) Snapshot() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved := map[string]pair{}
	for key, p := range s.keys {
		saved[key] = *p
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		clear(s.keys)
		clear(s.graves)
		for key, p := range saved {
			s.keys[key] = &p
		}
		s.step()
	}
}

func (s *Server) write(key string, value []byte) *pair {
	p := s.keys[key]
	if p == nil {
		p = &pair{Key: key, CreateIndex: s.index + 1}
		s.keys[key] = p
	}
	p.Value = slices.Clone(value)
	if len(value) == 0 {
		p.Value = nil
	}
	p.ModifyIndex = s.step()
	return p
}

func (s *Server) remove(key string) {
	if s.keys[key] != nil {
		delete(s.keys, key)
		s.graves[key] = s.step()
	}
}

// list answers GET kv, blocking as Consul does if there is an index.
func (s *Server) list(w http.ResponseWriter, r *http.Request, key string) {
	query := r.URL.Query()
	since, _ := strconv.ParseUint(query.Get("index"), 10, 64)
	wait, err := time.ParseDuration(query.Get("wait"))
	if err != nil {
		wait = 5 * time.Minute
	}
	enough := time.NewTimer(wait + wait/32)
	defer enough.Stop()
	for over := false; ; {
		s.mu.Lock()
		found, index := s.find(key, query.Has("recurse"))
		refusal := s.may(r, "key:read", key)
		changed := s.changed
		s.mu.Unlock()
		if query.Has("recurse") && refusal != nil && !strings.Contains(refusal.Error(), "ACL not found") {
			found, refusal = nil, nil // it shows what may be seen
		}
		if refusal != nil {
			http.Error(w, refusal.Error(), http.StatusForbidden)
			return
		}
		if index > since || over {
			w.Header().Set("X-Consul-Index", fmt.Sprint(index))
			w.Header().Set("X-Consul-KnownLeader", "true")
			w.Header().Set("X-Consul-LastContact", "0")
			if len(found) == 0 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			reply(w, http.StatusOK, found)
			return
		}
		select {
		case <-changed:
		case <-enough.C:
			over = true
		case <-r.Context().Done():
			return
		}
	}
}

// find returns copies of the pairs, and the index of the last change among them.
func (s *Server) find(key string, recurse bool) (found []pair, index uint64) {
	is := func(k string) bool { return k == key || recurse && strings.HasPrefix(k, key) }
	for k, p := range s.keys {
		if is(k) {
			found = append(found, *p)
			index = max(index, p.ModifyIndex)
		}
	}
	for k, grave := range s.graves {
		if is(k) {
			index = max(index, grave)
		}
	}
	if index == 0 { // nothing was ever there: then Consul says when anything changed
		index = s.index
	}
	slices.SortFunc(found, func(a, b pair) int { return strings.Compare(a.Key, b.Key) })
	return found, index
}

// putKey answers PUT kv with cas or acquire.
func (s *Server) putKey(r *http.Request, key string) (any, error) {
	if err := s.may(r, "key:write", key); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) > maxBody {
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request body(%d bytes) too large, max size: %d bytes.", len(body), maxBody)
	}
	id := r.URL.Query().Get("acquire")
	if id == "" {
		s.write(key, body)
		return true, nil
	}
	x := s.sessions[id]
	if x == nil {
		return nil, refuse(http.StatusInternalServerError, "rpc error making call: invalid session %q", id)
	}
	p := s.keys[key]
	switch {
	case p != nil && p.Session == id && string(p.Value) == string(body):
		return true, nil // nothing changes
	case p != nil && p.Session != "" && p.Session != id, time.Now().Before(s.delays[key]):
		return false, nil
	}
	p = s.write(key, body)
	p.Session = id
	p.LockIndex++
	return true, nil
}

// conflict is the answer to a transaction that did nothing.
type conflict string

// transact answers PUT txn with one cas.
func (s *Server) transact(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) > maxBody {
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request body(%d bytes) too large, max size: %d bytes.", len(body), maxBody)
	}
	var ops []struct {
		KV struct {
			Verb, Key string
			Value     []byte
			Index     uint64
		}
	}
	if err := json.Unmarshal(body, &ops); err != nil || len(ops) != 1 || ops[0].KV.Verb != "cas" {
		return nil, refuse(http.StatusBadRequest, "the fake knows only transactions of one cas: %v", err)
	}
	op := ops[0].KV
	if err := s.may(r, "key:write", op.Key); err != nil {
		if strings.Contains(err.Error(), "ACL not found") {
			return nil, err
		}
		return conflict(err.Error()), nil
	}
	var version uint64
	if p := s.keys[op.Key]; p != nil {
		version = p.ModifyIndex
	}
	if op.Index != version {
		return conflict(fmt.Sprintf("failed to set key %q, index is stale", op.Key)), nil
	}
	p := *s.write(op.Key, op.Value)
	p.Value = nil
	return map[string]any{"Results": []any{map[string]any{"KV": p}}, "Errors": nil}, nil
}
