package dashboard_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

const population = 200

// dotsOf are the dots of all members that answer, each once.
func dotsOf(t testing.TB, l *look) map[uint64]string {
	t.Helper()
	dots := make(map[uint64]string)
	for _, m := range l.state.Members {
		if !m.Answers {
			continue
		}
		for _, id := range l.dots[m.Address] {
			if other, twice := dots[id]; twice {
				t.Errorf("dot %d is on %s and on %s", id, other, m.Address)
			}
			dots[id] = m.Address
		}
	}
	return dots
}

func TestPage_ShowsTheMembersAndWhatTheyHost(t *testing.T) {
	open(t, 3, func(g *gallery) {
		at := g.visit(population)
		l := g.look()
		if l.state.Cluster != "testkit" || len(l.state.Members) != 3 || l.state.Identities != population || l.state.Each != 1 || !l.state.Client {
			t.Errorf("the page shows %+v, want 3 members of testkit with %d identities, from a client", l.state, population)
		}
		for i, name := range []string{"m1", "m2", "m3"} {
			m := l.member(t, name)
			if m.Address != testkit.NodeAddress(i) || m.Status != "up" || !m.Answers || m.Colour != i || m.ID != g.Node(i).System().ID() {
				t.Errorf("%s is %+v", name, m)
			}
			if !m.Leases || !m.Leased || m.Lease <= 0 || m.Lease > 1000 || m.Epoch != l.state.Epoch || m.Epoch == "0" {
				t.Errorf("%s has the lease %v, %d ms, in epoch %s; want one of up to a second in epoch %s", name, m.Leased, m.Lease, m.Epoch, l.state.Epoch)
			}
			hosted := 0
			for _, address := range at {
				if address == m.Address {
					hosted++
				}
			}
			if m.Identities != hosted || len(l.dots[m.Address]) != hosted || len(l.names[m.Address]) != hosted {
				t.Errorf("%s shows %d identities, %d dots and %d names, want %d", name, m.Identities, len(l.dots[m.Address]), len(l.names[m.Address]), hosted)
			}
			for _, identity := range l.names[m.Address] {
				if id, err := cluster.ParseIdentity(identity); err != nil || at[id] != m.Address {
					t.Errorf("%s shows %q, which answers from %s", name, identity, at[id])
				}
			}
		}
		dotsOf(t, l)
	})
}

func TestPage_ShowsAMemberDieAndItsIdentitiesMove(t *testing.T) {
	open(t, 3, func(g *gallery) {
		g.visit(population)
		before := dotsOf(t, g.look())
		g.Kill(1)
		testkit.Advance(500 * time.Millisecond)
		if m := g.look().member(t, "m2"); m.Answers || m.Silent == 0 {
			t.Errorf("half a second after its death m2 is %+v, want that it does not answer", m)
		}
		g.visit(population)
		testkit.Advance(2 * time.Second)
		l := g.look()
		m := l.member(t, "m2")
		if m.Status != "out" || m.Answers {
			t.Errorf("m2 is %+v, want it out of the view", m)
		}
		after := dotsOf(t, l)
		if len(before) != population || len(after) != population {
			t.Errorf("%d dots before and %d after, want %d", len(before), len(after), population)
		}
		for id, address := range before {
			if moved := after[id] != address; moved != (address == m.Address) {
				t.Errorf("a dot of %s is on %s after m2 died", address, after[id])
			}
		}
		if !l.told("m2 does not answer") || !l.told("m2 is out of the view") || !l.told("identities moved", "m2 → m1", "m2 → m3") {
			t.Errorf("the events are %q", l.events)
		}
		testkit.Advance(2 * time.Minute)
		if l := g.look(); len(l.state.Members) != 2 {
			t.Errorf("minutes later the page shows %+v, want the two that live", l.state.Members)
		}
	})
}

func TestPage_ShowsAMemberThatStandsStillAndComesBack(t *testing.T) {
	open(t, 3, func(g *gallery) {
		g.visit(population)
		g.Pause(0)
		testkit.Advance(5 * time.Second)
		if m := g.look().member(t, "m1"); m.Answers || m.Status != "out" {
			t.Errorf("m1 is %+v, want it out and silent", m)
		}
		g.visit(population)
		g.Resume(0)
		testkit.Advance(15 * time.Second)
		l := g.look()
		if m := l.member(t, "m1"); !m.Answers || m.Status != "up" || !m.Leased || !strings.HasSuffix(m.ID, "~2") {
			t.Errorf("m1 is %+v, want it back as another member", m)
		}
		if !l.told("m1 does not answer") || !l.told("m1 answers again") || !l.told("m1 joined") || !l.told("m1 has learnt") || l.state.Twice != 0 {
			t.Errorf("%d twice; the events are %q", l.state.Twice, l.events)
		}
	})
}

func TestPage_AMemberThatIsStartedAnewKeepsItsPlace(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.Kill(1)
		testkit.Advance(5 * time.Second)
		node := g.Restart(1)
		g.reporters[1].Attach(node.Cluster)
		testkit.Advance(5 * time.Second)
		l := g.look()
		if m := l.member(t, "m2"); len(l.state.Members) != 2 || !m.Answers || m.Status != "up" || m.Colour != 1 || m.ID != node.System().ID() {
			t.Errorf("m2 is %+v of %d, want the new one in the place of the old", m, len(l.state.Members))
		}
		if !l.told("m2 was started anew") {
			t.Errorf("the events are %q", l.events)
		}
	})
}

func TestPage_ShowsRequests(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.visit(50)
		testkit.Advance(2 * time.Second)
		l := g.look()
		requests, handled, slow := 0.0, 0.0, 0.0
		for _, p := range l.points {
			requests, handled, slow = max(requests, p.Requests), max(handled, p.Handled), max(slow, p.Slow)
		}
		if requests < 33 || requests > 67 || handled < 33 || handled > 67 || slow <= 0 { // all in one second, give or take two intervals
			t.Errorf("the page shows %v requests, %v messages and a latency of %v ms, want 50 of each", requests, handled, slow)
		}
	})
}

// Each failure is counted once, whenever the members are asked.
func TestPage_ShowsFailures(t *testing.T) {
	open(t, 1, func(g *gallery) {
		for i := range 30 {
			if i%3 == 0 {
				testkit.Advance(230 * time.Millisecond)
			}
			message := any(new(int)) // which no node has registered as a type
			if i >= 10 {
				message = "silence"
			}
			ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Millisecond)
			if _, err := g.client.Request(ctx, user(1), message); err == nil {
				t.Fatal("a request that cannot succeed did")
			}
			cancel()
		}
		testkit.Advance(2 * time.Second)
		failures, unknown := 0, 0
		for _, p := range g.look().points {
			failures, unknown = failures+p.Failures, unknown+p.Unknown
		}
		if failures != 30 || unknown != 20 {
			t.Errorf("the page shows %d failures, %d of an unknown outcome; want 30 and 20", failures, unknown)
		}
	})
}

func TestPage_OfAMemberWorksAlike(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.end()
		g.page = dashboard.NewPage(g.Node(0).Cluster, g.reporters[0], dashboard.Config{})
		g.serve()
		g.visit(population)
		l := g.look()
		if len(l.state.Members) != 2 || l.state.Identities != population || l.state.Client || len(dotsOf(t, l)) != population {
			t.Errorf("the page shows %+v, want 2 members with %d identities", l.state, population)
		}
		g.end()
	})
}

// Without a store there are no leases and no tokens, and all else is there.
func TestPage_OfAClusterWithoutLeases(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.visit(population)
		l := g.look()
		if len(dotsOf(t, l)) != population {
			t.Errorf("the page shows %+v, want %d dots", l.state, population)
		}
		if a := g.find(user(1)); len(a.Stays) != 1 || a.Stays[0].Token != "" || a.Stays[0].Epoch == "0" {
			t.Errorf("user/1 is %+v, want one activation without a token", a)
		}
	}, func(c *galleryConfig) { c.lookup, c.kind = disthash.New(), users(cluster.Eventual()) })
}

func TestPage_TellsNoNamesUnlessAllowed(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.visit(20)
		l := g.look()
		if l.state.Names || len(dotsOf(t, l)) != 20 || slices.ContainsFunc(l.state.Members, func(m member) bool { return len(l.names[m.Address]) > 0 }) {
			t.Errorf("the page shows %+v with the names %v, want 20 dots without names", l.state, l.names)
		}
	}, func(c *galleryConfig) { c.reporter.Names = false })
}

func TestPage_MembersAnswerOnlyWithTheirToken(t *testing.T) {
	const token = "sixteen-bytes-at-least"
	t.Run("another", func(t *testing.T) {
		open(t, 1, func(g *gallery) {
			l := g.look()
			if m := l.state.Members[0]; m.Heard || !strings.Contains(m.Trouble, "give both the same") {
				t.Errorf("the member is %+v, want one that does not tell, and says why", m)
			}
		}, func(c *galleryConfig) { c.reporter.Token = token })
	})
	t.Run("the same", func(t *testing.T) {
		open(t, 1, func(g *gallery) {
			text := get(g.page, "/", header("Authorization", "Bearer "+token)).Body.String()
			if !strings.Contains(text, "<th>m1</th>") || strings.Contains(text, token) {
				t.Errorf("the page does not show m1, or shows the token:\n%s", text)
			}
		}, func(c *galleryConfig) { c.reporter.Token, c.page.Token = token, token })
	})
}

func TestPage_RunsOnce(t *testing.T) {
	open(t, 1, func(g *gallery) {
		if err := g.page.Run(g.t.Context()); err == nil || !strings.Contains(err.Error(), "NewPage") {
			t.Errorf("a second Run = %v, want an error that names the fix", err)
		}
	})
}
