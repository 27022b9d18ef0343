package testkit

import (
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func firstReport(s *providerSuite) {
	n := s.start(0)
	Advance(s.Settle)
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.reports) == 0 {
		s.Fatalf("no report after %v", s.Settle)
	}
	if got, want := membership(n.reports[0]), membership([]cluster.Member{n.self}); !slices.Equal(got, want) {
		s.Errorf("first report = %v, want %v", got, want)
	}
}

func agreement(s *providerSuite) { s.up(3) }

func statuses(s *providerSuite) {
	nodes := s.up(3)
	for _, n := range nodes {
		n.become(cluster.Leaving)
		Advance(s.Settle)
		s.agree(nodes, nodes)
	}
}

func clients(s *providerSuite) {
	nodes := s.up(2)
	client := s.start(2, func(n *providerNode) { n.client = true })
	Advance(s.Settle)
	s.agree(append(nodes, client), nodes)
	s.leave(nodes[1])
	Advance(s.Settle)
	s.agree([]*providerNode{nodes[0], client}, nodes[:1])
}

func leaves(s *providerSuite) {
	nodes := s.up(3)
	s.leave(nodes[2])
	Advance(s.Settle)
	s.agree(nodes[:2], nodes[:2])
}

func crashes(s *providerSuite) {
	nodes := s.up(3)
	s.crash(nodes[2])
	Advance(s.Settle)
	s.agree(nodes[:2], nodes)
	Advance(s.Expiry)
	s.agree(nodes[:2], nodes[:2])
}

func shortCut(s *providerSuite) {
	nodes := s.up(3)
	s.cut(nodes[1])
	Advance(s.Settle)
	s.restore(nodes[1])
	for passed := time.Duration(0); passed < 2*s.Expiry; passed += s.Settle {
		Advance(s.Settle)
		s.agree(nodes, nodes)
	}
}

func longCut(s *providerSuite) {
	nodes := s.up(3)
	s.cut(nodes[1])
	Advance(10 * s.Expiry)
	s.agree([]*providerNode{nodes[0], nodes[2]}, []*providerNode{nodes[0], nodes[2]})
	s.restore(nodes[1])
	Advance(s.Expiry)
	s.agree(nodes, nodes)
}

func restarts(s *providerSuite) {
	nodes := s.up(3)
	s.crash(nodes[2])
	s.leave(nodes[2])
	Advance(s.Expiry + s.Settle)
	s.network.Restart(nodes[2].host.Name())
	nodes[2] = s.start(2)
	Advance(s.Expiry)
	s.agree(nodes, nodes)
}

func names(s *providerSuite) {
	one := s.start(0)
	other := s.start(1, func(n *providerNode) { n.name = "stock" })
	Advance(s.Expiry)
	s.agree([]*providerNode{one}, []*providerNode{one})
	if slices.Contains(other.sees(), membership([]cluster.Member{one.Self()})[0]) {
		s.Errorf("a node of another cluster sees %v", other.sees())
	}
	other.crashed = true // it may also have refused to run there
}

func sharing(s *providerSuite) {
	provider := s.Provider(0)
	s.Provider = func(int) cluster.Provider { return provider }
	s.up(2)
}

func deafEnd(s *providerSuite) {
	nodes := s.up(2)
	s.cut(nodes[1])
	begin := time.Now()
	s.leave(nodes[1])
	if took := time.Since(begin); took > s.Expiry {
		s.Errorf("Run took %v to end, want %v at most", took, s.Expiry)
	}
}
