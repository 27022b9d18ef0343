package dashboard

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

const (
	// nameless is how long an event waits for the name of its member.
	nameless = time.Second
	// mostChanges is how many views are remembered.
	mostChanges = 64
	// mostNames is how many addresses have a name.
	mostNames = 1024
)

// composer makes the snapshots of a page. It belongs to the goroutine of Run.
type composer struct {
	page  *Page
	tasks *background.Tasks

	view     *cluster.View
	last     time.Time          // when a snapshot was made last
	woke     time.Time          // when this process stood still last
	links    map[string]*linked // by address; those of the view, and for a while of members that left
	names    map[string]string  // of all addresses that were asked lately
	timeline timeline
	pending  []pending
	changes  []change // the oldest first; what was taken of it is never modified
	where    whereabouts
	rates    rates
}

// linked is a node that is asked.
type linked struct {
	*link
	cancel context.CancelFunc
	began  time.Time // when it was asked for the first time
	colour int       // -1 before it has answered
	left   time.Time // when it left the view; zero: it is in it
	before said      // that events were told of
	silent time.Time // since when it does not answer; zero: it does, or never did
	lapsed bool
}

// pending is an event that waits for the name of its member.
type pending struct {
	event
	text string // %s is the name
}

// change is what was new in a view.
type change struct {
	at                    time.Time
	epoch                 uint64
	joined, left, leaving []string // addresses; one that is in the first two has another member
}

func newComposer(p *Page, tasks *background.Tasks) *composer {
	c := &composer{page: p, tasks: tasks, view: new(cluster.View), links: make(map[string]*linked), names: make(map[string]string),
		where: newWhereabouts()}
	return c
}

// look takes in a view.
func (c *composer) look(view *cluster.View, now time.Time) {
	old := c.view
	if view == old || view.Epoch == 0 {
		return
	}
	c.view = view
	change := change{at: now, epoch: view.Epoch}
	for _, m := range view.Members {
		before, was := old.Member(m.ID)
		switch {
		case !was:
			change.joined = append(change.joined, m.Address)
		case m.Status == cluster.Leaving && before.Status != cluster.Leaving:
			change.leaving = append(change.leaving, m.Address)
		}
	}
	for _, m := range old.Members {
		if _, in := view.Member(m.ID); !in {
			change.left = append(change.left, m.Address)
		}
	}
	if kept := c.changes[max(0, len(c.changes)+1-mostChanges):]; old.Epoch > 0 {
		c.changes = append(slices.Clip(kept), change)
		c.tellChange(change, old)
	}
	c.relink(now)
	c.compose(now)
}

// tellChange makes events of a change.
func (c *composer) tellChange(ch change, old *cluster.View) {
	tell := func(weight, address, text string) {
		c.pending = append(c.pending, pending{event{At: ch.at, Weight: weight, Member: address, Epoch: ch.epoch}, text})
	}
	for _, address := range ch.joined {
		if slices.Contains(ch.left, address) {
			tell(good, address, "%s is back, as another member")
		} else {
			tell(good, address, "%s joined")
		}
	}
	for _, address := range ch.leaving {
		tell(plain, address, "%s was told to leave, and hands over what it hosts")
	}
	for _, address := range ch.left {
		m, _ := old.At(address)
		switch {
		case slices.Contains(ch.joined, address):
		case m.Status == cluster.Leaving:
			tell(plain, address, "%s has left")
		default:
			tell(bad, address, "%s is out of the view: the others go on without it")
		}
	}
}

// relink begins to ask whoever is new in the view.
func (c *composer) relink(now time.Time) {
	for _, m := range c.view.Members {
		if c.links[m.Address] == nil {
			c.begin(m.Address)
		}
	}
	self := c.page.node.System().Address()
	if c.view.Epoch > 0 && c.links[self] == nil {
		c.begin(self) // a client, or a member that is out of its own view
	}
	for address, l := range c.links {
		_, in := c.view.At(address)
		switch {
		case in || address == self:
			l.left = time.Time{}
		case l.left.IsZero():
			l.left = now
		case now.Sub(l.left) > linger:
			l.cancel()
			delete(c.links, address)
		}
	}
}

func (c *composer) begin(address string) {
	l := &link{address: address, node: c.page.node, token: c.page.config.Token}
	if address == c.page.node.System().Address() {
		l.self = c.page.reporter
	}
	cancel := c.tasks.Go("ask", func(ctx context.Context) { l.run(ctx, c.page.config.Interval) })
	c.links[address] = &linked{link: l, cancel: cancel, began: time.Now(), colour: -1}
}

// compose makes a snapshot of what is known.
func (c *composer) compose(now time.Time) {
	c.relink(now)
	all := make(map[string]said, len(c.links))
	if now.Sub(c.last) > silence/2 {
		c.woke = now // nobody was asked meanwhile, for this process stood still itself
	}
	c.last = now
	for address, l := range c.links {
		s := l.last()
		if s.waited = s.answered; l.silent.IsZero() && s.waited.Before(c.woke) {
			s.waited = c.woke
		}
		all[address] = s
	}
	c.where.settle(all)
	for _, address := range slices.Sorted(maps.Keys(c.links)) {
		l := c.links[address]
		l.want(c.where.level)
		c.compare(l, all[address], now)
	}
	c.colour(all, now)
	c.where.follow(now, all, c.timeline.add, c.name)
	c.flush(now)
	c.rates.add(now, all)
	c.page.now.Store(c.snapshot(now, all))
}

// colour numbers the members that have answered, by name, once those that are as
// new as they are have answered as well.
func (c *composer) colour(all map[string]said, now time.Time) {
	used := make(map[int]bool)
	var those []string
	for address, l := range c.links {
		switch {
		case l.colour >= 0:
			used[l.colour] = true
		case c.client(address):
		case all[address].reply != nil:
			those = append(those, address)
		case now.Sub(l.began) < nameless:
			return
		}
	}
	slices.SortFunc(those, func(a, b string) int { return cmp.Or(compareNames(c.name(a), c.name(b)), cmp.Compare(a, b)) })
	for _, address := range those {
		n, inherited := c.succeed(address)
		for !inherited && used[n] {
			n++
		}
		used[n], c.links[address].colour = true, n
	}
}

// succeed has a member take the place of one of the same name that is out of the
// view, at another address, and returns its colour.
func (c *composer) succeed(address string) (colour int, ok bool) {
	for other, l := range c.links {
		if l.left.IsZero() || l.colour < 0 || other == address || c.name(other) != c.name(address) {
			continue
		}
		l.cancel()
		delete(c.links, other)
		return l.colour, true
	}
	return 0, false
}

// client reports whether an address is that of the page's own node, and no
// member's.
func (c *composer) client(address string) bool {
	l := c.links[address]
	if l == nil || l.self == nil {
		return false
	}
	_, in := c.view.At(address)
	return !in && l.before.reply.GetMember() == "" && l.colour < 0
}

// name is what people call the node at an address.
func (c *composer) name(address string) string {
	if l := c.links[address]; l != nil {
		if name := shorten(l.last().reply.GetName()); name != "" {
			if len(c.names) >= mostNames {
				clear(c.names)
			}
			c.names[address] = name
		}
	}
	return cmp.Or(c.names[address], address)
}

// flush tells the events that have waited for a name.
func (c *composer) flush(now time.Time) {
	c.pending = slices.DeleteFunc(c.pending, func(p pending) bool {
		l := c.links[p.Member]
		if named := l == nil || l.last().reply != nil; !named && now.Sub(p.At) < nameless {
			return false
		}
		c.timeline.add(p.event, p.text, c.name(p.Member))
		return true
	})
}

func (c *composer) snapshot(now time.Time, all map[string]said) *snapshot {
	self := c.page.node.System().Address()
	s := &snapshot{
		At: now, Cluster: c.page.reporter.cluster, Epoch: c.view.Epoch, Self: self, Client: c.client(self),
		Each: 1 << c.where.level, Twice: len(c.where.twice), Members: []memberInfo{}, level: c.where.level,
		samples: make(map[string]*sample), events: c.timeline.events, points: c.rates.points, changes: c.changes,
	}
	for address, l := range c.links {
		s.links = append(s.links, l.link)
		if c.client(address) {
			continue
		}
		in, _ := c.view.At(address)
		m := about(address, in, all[address], now)
		m.Colour, m.Rate = l.colour, c.rates.each[address]
		if sample := all[address].sample; sample != nil {
			m.Sample = sample.version<<6 | uint64(c.where.level)
			s.samples[address] = sample
			s.Names = s.Names || sample.names != nil
		}
		if m.Answers {
			s.Identities += m.Identities
		}
		s.Members = append(s.Members, m)
	}
	slices.SortFunc(s.Members, func(a, b memberInfo) int {
		return cmp.Or(compareNames(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
	s.encode()
	return s
}
