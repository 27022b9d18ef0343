package sealedview_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// stage is a cluster that a test leads by the hand: messages and the store take
// no time, clocks are right, and nothing goes wrong but what the test says.
type stage struct {
	testing.TB
	params sealedview.Params
	mode   sealedview.Mode
	now    time.Duration
	cast   []*player
	mail   []letter
	cuts   map[[2]string]bool           // from, to; "store" is one of them
	ahead  map[string]time.Duration     // by which wall clocks are
	was    sealedview.Past              // of who is announced next
	kinds  map[string]sealedview.Member // what they host: Kinds and Strict

	stagger time.Duration
	shadow  *shadow // or nil

	view    *sealedview.View // in the store
	garbled error
	version uint64
	joiners []sealedview.Member
	reads   map[string]int      // that were answered, by player; or nil
	applied func(author string) // is called after a write, before anybody knows of it

	owner func(*sealedview.View) string // of the one identity
}

// player is a node with its host.
type player struct {
	*sealedview.Node
	self    sealedview.Member
	down    bool
	holds   bool // the identity
	clings  bool // to it, whatever the view says
	told    []string
	evicted bool
}

type letter struct {
	from, to string
	message  sealedview.Message
}

const step = 5 * time.Millisecond

func newStage(t testing.TB, adjust ...func(*sealedview.Params)) *stage {
	t.Helper()
	s := &stage{TB: t, params: sealedview.Defaults(), mode: sealedview.Council, cuts: make(map[[2]string]bool), stagger: 20 * time.Millisecond}
	for _, a := range adjust {
		a(&s.params)
	}
	s.owner = s.first("a", "b", "c", "d", "e", "f", "g")
	return s
}

// first is a placement by rank.
func (s *stage) first(ranking ...string) func(*sealedview.View) string {
	return func(v *sealedview.View) string {
		for _, id := range ranking {
			if m, ok := v.Member(id); ok && m.State == sealedview.Active {
				return id
			}
		}
		return ""
	}
}

// enter starts nodes, one after another, so that they are of that age.
func (s *stage) enter(ids ...string) {
	s.Helper()
	for _, id := range ids {
		s.announce(id)
		s.until(id+" is a member and serves", func() bool { return s.serves(id) })
	}
	s.advance(time.Second)
}

// announce starts a node.
func (s *stage) announce(id string) {
	s.Helper()
	p := &player{self: sealedview.Member{ID: id, Address: id + ":1", State: sealedview.Active, Was: s.was}}
	p.self.Kinds, p.self.Strict = s.kinds[id].Kinds, s.kinds[id].Strict
	p.Node = sealedview.NewNode(sealedview.Config{
		Self: p.self, Mode: s.mode, Cluster: "cluster of " + id, Params: s.params,
		Started: uint64(1_700_000_000_000 + s.ahead[id].Milliseconds()), Stagger: s.stagger,
	})
	s.was = sealedview.Past{}
	s.cast = append(s.cast, p)
	if s.view != nil {
		s.joiners = append(s.joiners, p.self)
	}
	s.event(p, sealedview.Tick{})
}

func (s *stage) player(id string) *player {
	s.Helper()
	i := slices.IndexFunc(s.cast, func(p *player) bool { return p.self.ID == id })
	if i < 0 {
		s.Fatalf("%s is not on stage", id)
	}
	return s.cast[i]
}

func (s *stage) serves(id string) bool {
	s.Helper()
	p := s.player(id)
	return !p.down && p.Serves(s.now)
}

// may reports whether a node may activate the identity.
func (s *stage) may(id string) bool {
	s.Helper()
	p := s.player(id)
	return !p.down && p.MayActivate(s.now, s.owner)
}

// activate has a node activate the identity.
func (s *stage) activate(id string) {
	s.Helper()
	if !s.may(id) {
		owing, mine := s.player(id).Owing(s.now, s.owner)
		s.Fatalf("at %v %s may not activate the identity: mine %t, owed by %v", s.now, id, mine, owing)
	}
	s.player(id).holds = true
	if s.shadow != nil {
		s.shadow.take(model.Step{Kind: model.Activate, Node: s.shadow.number[id]})
	}
}

// members are those of the store's record.
func (s *stage) members() string {
	if s.view == nil {
		return ""
	}
	var ids []string
	for _, m := range s.view.Members {
		if m.State == sealedview.Leaving {
			m.ID += " leaving"
		}
		ids = append(ids, m.ID)
	}
	return strings.Join(ids, ", ")
}

func (s *stage) wantMembers(want string) {
	s.Helper()
	if got := s.members(); got != want {
		s.Errorf("at %v the members are %s, want %s", s.now, got, want)
	}
}

// crash ends a node without a word.
func (s *stage) crash(ids ...string) {
	for _, id := range ids {
		s.player(id).down = true
	}
}

// cut parts nodes from others, both ways; others may have the store among them.
func (s *stage) cut(some []string, from ...string) { s.link(true, some, from) }

func (s *stage) heal(some []string, from ...string) { s.link(false, some, from) }

func (s *stage) link(cut bool, some, from []string) {
	for _, a := range some {
		for _, b := range from {
			s.cuts[[2]string{a, b}], s.cuts[[2]string{b, a}] = cut, cut
		}
	}
}

// advance lets time pass.
func (s *stage) advance(d time.Duration) {
	for end := s.now + d; s.now < end; {
		s.now += step
		if s.shadow != nil {
			s.shadow.tick()
		}
		for _, p := range s.cast {
			if p.Next() <= s.now {
				s.event(p, sealedview.Tick{})
			}
		}
	}
}

// until lets time pass until something is so.
func (s *stage) until(what string, so func() bool) time.Duration {
	s.Helper()
	start := s.now
	for !so() {
		if s.now-start > 5*time.Minute {
			s.Fatalf("%v have passed, and not: %s; members %s; told %q", s.now-start, what, s.members(), s.told())
		}
		s.advance(step)
	}
	return s.now - start
}

func (s *stage) told() []string {
	var told []string
	for _, p := range s.cast {
		for _, text := range p.told {
			told = append(told, p.self.ID+": "+text)
		}
	}
	return told
}

// event gives a node an event, does what it asks for and delivers all messages.
func (s *stage) event(p *player, e sealedview.Event) {
	s.Helper()
	s.take(p, e)
	for len(s.mail) > 0 {
		l := s.mail[0]
		s.mail = s.mail[1:]
		from, to := s.player(l.from), s.player(l.to)
		if !s.cuts[[2]string{l.from, l.to}] {
			s.take(to, sealedview.Received{From: &from.self, Message: l.message})
		}
	}
}

func (s *stage) take(p *player, e sealedview.Event) {
	s.Helper()
	if p.down {
		return
	}
	effects := slices.Clone(p.Step(s.now, e))
	if s.shadow != nil {
		s.shadow.stepped(p, e, effects)
	}
	for _, effect := range effects {
		switch effect := effect.(type) {
		case sealedview.Send:
			s.mail = append(s.mail, letter{p.self.ID, effect.To.ID, effect.Message})
		case sealedview.ReadStore:
			s.take(p, s.read(p))
		case sealedview.WriteStore:
			s.take(p, s.write(p, effect))
		case sealedview.Installed:
			s.host(p, effect.View)
		case sealedview.Evicted:
			p.evicted, p.holds = true, false
		case sealedview.Warn:
			p.told = append(p.told, effect.Text)
		case sealedview.Violated:
			s.Errorf("%s: %s", p.self.ID, effect.Text)
		}
	}
}

// host lets go of what a view assigns to another.
func (s *stage) host(p *player, v *sealedview.View) {
	s.Helper()
	if p.holds && s.owner(v) != p.self.ID {
		if p.clings {
			return
		}
		p.holds = false
		if s.shadow != nil {
			s.shadow.take(model.Step{Kind: model.Release, Node: s.shadow.number[p.self.ID]})
		}
	}
	s.take(p, sealedview.Released{View: v.Stamp})
	if self, _ := v.Member(p.self.ID); self.State == sealedview.Leaving {
		s.take(p, sealedview.Drained{})
	}
}

var errCut = errors.New("cut from the store")

func (s *stage) read(p *player) sealedview.Event {
	if s.cuts[[2]string{p.self.ID, "store"}] {
		return sealedview.Read{Sent: s.now, Err: errCut}
	}
	if s.reads != nil {
		s.reads[p.self.ID]++
	}
	r := sealedview.Read{Sent: s.now, View: s.view, Version: s.version, Joiners: slices.Clone(s.joiners), Garbled: s.garbled}
	if s.garbled != nil {
		r.View = nil
	}
	return r
}

func (s *stage) write(p *player, w sealedview.WriteStore) sealedview.Event {
	result := sealedview.Wrote{Sent: s.now, Nonce: w.View.Nonce}
	cut := [2]string{p.self.ID, "store"}
	if !s.cuts[cut] && w.Version == s.version {
		if err := w.View.Check(); err != nil {
			s.Errorf("%s writes a bad record: %v", p.self.ID, err)
		}
		if s.shadow != nil {
			s.shadow.wrote(s.view, w.View)
		}
		s.put(w.View)
		s.joiners = slices.DeleteFunc(s.joiners, func(m sealedview.Member) bool { return w.View.Has(m.ID) })
		result.Applied, result.Version = true, s.version
		if s.applied != nil {
			s.applied(p.self.ID)
		}
	}
	if s.cuts[cut] {
		result = sealedview.Wrote{Sent: s.now, Nonce: w.View.Nonce, Err: errCut}
	}
	return result
}

// put replaces the record; nobody is told.
func (s *stage) put(v *sealedview.View) {
	s.version++
	s.view, s.garbled = v, nil
}

// tell has all that reach the store see it.
func (s *stage) tell() {
	s.Helper()
	for _, p := range s.cast {
		if !s.cuts[[2]string{p.self.ID, "store"}] {
			s.event(p, sealedview.Seen{View: s.view, Joiners: slices.Clone(s.joiners)})
		}
	}
}

// onOneView reports whether all of these go by the store's record, and serve.
func (s *stage) onOneView(ids ...string) bool {
	for _, id := range ids {
		p := s.player(id)
		if s.view == nil || p.View() == nil || p.View().Stamp != s.view.Stamp || !s.serves(id) {
			return false
		}
	}
	return true
}
