package main

import (
	"cmp"
	"fmt"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// audit checks the tokens of answers: as long as no user is in two places, no
// token of a user is older than one before it, and each stands for one
// activation. Of answers of one user only the order counts, so each has to be
// there before the next is asked for.
type audit struct {
	newest    map[cluster.Identity]*userpb.Visited
	checked   int
	backwards int   // tokens older than the one before
	odd       int   // answers without a token, or where it does not stand for the activation
	fault     error // the first of either
}

// check takes in the next answer of id.
func (a *audit) check(id cluster.Identity, answer *userpb.Visited) {
	a.checked++
	before := a.newest[id]
	order := compare(answer.GetToken(), before.GetToken())
	switch {
	case order < 0:
		a.backwards++
	case answer.GetToken() == nil, before != nil && (order == 0) != (answer.GetActivation() == before.GetActivation()):
		a.odd++
	default:
		a.newest[id] = answer
		return
	}
	if a.fault == nil {
		a.fault = fmt.Errorf("demo: %v answered %s, after %s", id, source(answer), source(before))
	}
}

// compare tells which of two tokens is newer: a if it is positive.
func compare(a, b *userpb.Token) int {
	return cmp.Or(cmp.Compare(a.GetEpoch(), b.GetEpoch()), cmp.Compare(a.GetCounter(), b.GetCounter()))
}

// source tells where an answer comes from.
func source(v *userpb.Visited) string {
	return fmt.Sprintf("from %s under token %s, activation %s", v.GetMember(), text(v.GetToken()), v.GetActivation())
}

// text is a token as people see it.
func text(t *userpb.Token) string { return fmt.Sprintf("%d.%d", t.GetEpoch(), t.GetCounter()) }
