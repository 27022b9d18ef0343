package main

import "github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"

// caseOf is a small configuration in which a mutation shows.
func caseOf(mutation model.Mutation) model.Config {
	c := model.Config{Nodes: 3, Plan: "-0"}
	joined := model.Config{Nodes: 3, Initial: 2, Plan: "+2", Ranking: "201"} // the joiner takes the identity over
	left := model.Config{Nodes: 2, Plan: "~0,-0", Leaving: true}
	overridden := model.Config{Nodes: 2, Plan: "!1", Horizon: 2, Override: true, Cancel: true}
	switch mutation {
	case model.AnyMemberGrants:
		c = model.Config{Nodes: 4, Plan: "-2", Ranking: "2013"}
	case model.PromisesForgotten:
		c = model.Config{Nodes: 3, Initial: 2, Plan: "+2,-0"}
	case model.NoR2:
		c = model.Config{Nodes: 2, Initial: 1, Plan: "+1,-0"}
	case model.R2WithoutWait:
		c = model.Config{Nodes: 4, Initial: 3, Plan: "-1+3,-0"}
	case model.NoR3:
		c = model.Config{Nodes: 3, Initial: 2, Plan: "+2,~1,-0", Leaving: true}
	case model.JoinUnclosed:
		c = model.Config{Nodes: 3, Initial: 1, Plan: "+1,+2,-0"}
	case model.BlindWrite, model.NamesReused:
		c = model.Config{Nodes: 2, Changes: 2}
	case model.NoBarrier, model.BarrierHolding, model.BarrierEarly, model.PruneHolding, model.PruneMajority,
		model.PruneTooFar:
		c = joined
	case model.BarrierPrevious:
		c = joined
		c.Plan = "+2,-1"
	case model.BarrierNewer:
		c = model.Config{Nodes: 2, Initial: 1, Plan: "+1,~1", Ranking: "10", Leaving: true}
	case model.PruneJoiner, model.PruneNewer:
		c = joined
		c.Plan, c.Leaving = "+2,-1~2", true
	case model.LeaveHolding, model.LeaveUninstalled, model.LeavingOwns, model.LeavingUnasked:
		c = left
	case model.OverrideNoWait, model.OverrideNoFreshness, model.OverrideFreshened,
		model.OverrideCancelIgnored, model.OverrideTimerKept:
		c = overridden
	case model.OverrideTimerCarried:
		c = model.Config{Nodes: 3, Initial: 2, Plan: "+2,!2", Horizon: 2, Override: true}
	}
	c.Mutation = mutation
	return c
}
