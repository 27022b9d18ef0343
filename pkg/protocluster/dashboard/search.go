package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard/internal/journal"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
)

// found is what is known of one identity.
type found struct {
	Identity string   `json:"identity"`
	Dot      uint64   `json:"dot"` // the number of its dot, if it has one
	Answer   string   `json:"answer"`
	Where    string   `json:"where,omitempty"` // the address of the member that hosts it
	Stays    []stay   `json:"stays"`           // newest first
	Unasked  []string `json:"unasked"`         // the names of members that did not answer
}

// refusal says why a request is not served.
type refusal struct {
	status int
	text   string
}

// search asks all members that answer for an identity.
func (p *Page) search(r *http.Request, q string) (*found, *refusal) {
	id, err := cluster.ParseIdentity(q)
	switch {
	case len(q) > mostQuery:
		return nil, &refusal{http.StatusBadRequest, fmt.Sprintf("that is too long; what to look for has at most %d bytes", mostQuery)}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, fmt.Sprintf("%q is no identity; write it as kind/identity, such as user/123", q)}
	}
	select {
	case p.searches <- struct{}{}:
		defer func() { <-p.searches }()
	default:
		return nil, &refusal{http.StatusTooManyRequests, "too many searches are under way; try again in a moment"}
	}
	now, _ := p.now.Load()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	said, unasked := now.find(ctx, id)
	f := &found{Identity: shorten(id.String()), Dot: journal.Hash(id) >> (64 - exactBits), Unasked: unasked}
	f.Stays = p.dossiers.add(id, said, now)
	f.conclude()
	return f, nil
}

// find asks each member that answers, all at the same time.
func (s *snapshot) find(ctx context.Context, id cluster.Identity) (said []stay, unasked []string) {
	request := &dashboardpb.FindRequest{Kind: id.Kind, Identity: []byte(id.Identity)}
	unasked = []string{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, l := range s.links {
		m, is := s.member(l.address)
		if !is || !m.Answers {
			if is {
				unasked = append(unasked, m.Name)
			}
			continue
		}
		asking.Go(func() {
			reply, err := l.find(ctx, request)
			now := time.Now()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				unasked = append(unasked, m.Name)
				return
			}
			said = append(said, stay{Address: m.Address, system: reply.GetSystem()})
			for _, a := range reply.GetActivations() {
				said = append(said, newStay(m, reply.GetSystem(), a, now))
			}
		})
	}
	asking.Wait()
	slices.SortFunc(unasked, compareNames)
	return said, unasked
}

// conclude says in a sentence where the identity is.
func (f *found) conclude() {
	var here []stay
	for _, s := range f.Stays {
		if s.Lives && s.Seen {
			here = append(here, s)
		}
	}
	switch {
	case len(here) == 1:
		f.Where = here[0].Address
		f.Answer = fmt.Sprintf("%s is on %s", f.Identity, here[0].Name)
	case len(here) > 1:
		f.Where = here[0].Address
		f.Answer = fmt.Sprintf("%s is on %d members: %s has the newest activation", f.Identity, len(here), here[0].Name)
	case len(f.Stays) > 0 && (f.Stays[0].Lives || f.Stays[0].lost):
		f.Answer = fmt.Sprintf("%s was on %s, which does not answer any more", f.Identity, f.Stays[0].Name)
	case len(f.Unasked) > 0:
		f.Answer = fmt.Sprintf("no member that answers hosts %s", f.Identity)
	default:
		f.Answer = fmt.Sprintf("nobody hosts %s; the first message to it has it activated", f.Identity)
	}
}
