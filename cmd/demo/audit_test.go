package main

import (
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func TestAudit(t *testing.T) {
	type reply struct {
		user, member, activation string
		epoch, counter           uint64
	}
	rows := []struct {
		name           string
		replies        []reply
		backwards, odd int
	}{
		{"one activation", []reply{{"1", "m1", "a", 5, 1}, {"1", "m1", "a", 5, 1}}, 0, 0},
		{"the next in the same view", []reply{{"1", "m1", "a", 5, 1}, {"1", "m1", "b", 5, 2}}, 0, 0},
		{"the next in a newer view, whose counters begin anew", []reply{{"1", "m1", "a", 5, 7}, {"1", "m2", "b", 6, 1}}, 0, 0},
		{"two users, each by itself", []reply{{"1", "m1", "a", 6, 7}, {"2", "m2", "b", 5, 1}}, 0, 0},
		{"a zombie's answer", []reply{{"1", "m1", "a", 5, 7}, {"1", "m2", "b", 6, 1}, {"1", "m1", "a", 5, 7}, {"1", "m2", "b", 6, 1}}, 1, 0},
		{"an older counter of the same view", []reply{{"1", "m1", "a", 5, 2}, {"1", "m1", "b", 5, 1}}, 1, 0},
		{"two activations under one token", []reply{{"1", "m1", "a", 5, 1}, {"1", "m2", "b", 5, 1}}, 0, 1},
		{"an activation that changes its token", []reply{{"1", "m1", "a", 5, 1}, {"1", "m1", "a", 6, 1}}, 0, 1},
		{"no token at all", []reply{{"1", "m1", "a", 0, 0}}, 0, 1},
		{"no token after one", []reply{{"1", "m1", "a", 5, 1}, {"1", "m1", "b", 0, 0}}, 1, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := audit{newest: make(map[cluster.Identity]*userpb.Visited)}
			for _, r := range row.replies {
				answer := &userpb.Visited{Member: r.member, Activation: r.activation}
				if r.epoch > 0 {
					answer.Token = &userpb.Token{Epoch: r.epoch, Counter: r.counter}
				}
				a.check(cluster.Identity{Kind: "user", Identity: r.user}, answer)
			}
			if a.backwards != row.backwards || a.odd != row.odd || a.checked != len(row.replies) {
				t.Errorf("%d backwards and %d odd of %d, want %d and %d of %d",
					a.backwards, a.odd, a.checked, row.backwards, row.odd, len(row.replies))
			}
			if faulty := row.backwards+row.odd > 0; faulty != (a.fault != nil) {
				t.Errorf("fault = %v, want one: %v", a.fault, faulty)
			} else if faulty && !strings.Contains(a.fault.Error(), "user/1 answered from m") {
				t.Errorf("fault = %v, want the user and the member in it", a.fault)
			}
		})
	}
}
