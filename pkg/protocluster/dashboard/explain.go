package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
)

// token is a fencing token as people see it.
func token(epoch, counter uint64) string { return actor.Token{Epoch: epoch, Counter: counter}.String() }

// explain says of each stay, newest first, why it began.
func explain(stays []stay, now *snapshot) {
	for i := range stays {
		s := &stays[i]
		var before *stay
		if i+1 < len(stays) {
			before = &stays[i+1]
		}
		s.Why = why(before, s, now)
	}
	for i := range stays {
		if s := &stays[i]; s.Lives && s.left && !s.Seen {
			s.Lives, s.lost, s.End = false, true, lost(s, now)
		}
	}
}

// lost tells what became of an activation whose member is not asked any more.
func lost(s *stay, now *snapshot) string {
	for _, c := range slices.Backward(now.changes) {
		if slices.Contains(c.left, s.Address) && handedOver(now.changes, s.Address, c) {
			return ends[dashboardpb.End_DRAINED]
		}
	}
	return "not known: its member is out of the view, and does not answer"
}

func why(before, s *stay, now *snapshot) string {
	switch {
	case before == nil:
		return first(s, now)
	case before.Address == s.Address && before.system == s.system:
		return fmt.Sprintf("started again on %s; the activation before it: %s", s.Name, end(before))
	case before.Address == s.Address:
		return s.Name + " was started anew, and the first message activated it"
	}
	for _, c := range slices.Backward(now.changes) {
		if c.epoch > s.Epoch && s.Token != "" || c.at.After(s.Began) && s.Token == "" || c.at.Before(before.Began) {
			continue
		}
		in := "in epoch " + short(c.epoch)
		switch {
		case slices.Contains(c.left, before.Address) && !handedOver(now.changes, before.Address, c):
			return fmt.Sprintf("moved because %s was out of the view %s: it did not answer any more,"+
				" and without it placement gives the identity to %s", before.Name, in, s.Name)
		case slices.Contains(c.leaving, before.Address), slices.Contains(c.left, before.Address):
			return fmt.Sprintf("moved because %s was told to leave %s, and handed it over", before.Name, in)
		case slices.Contains(c.joined, s.Address):
			return fmt.Sprintf("moved because %s joined %s: placement gives it its share of the identities,"+
				" and this is one of them", s.Name, in)
		}
	}
	if before.left {
		return fmt.Sprintf("moved because %s is not in the view any more", before.Name)
	}
	return fmt.Sprintf("moved from %s; the activation there: %s", before.Name, end(before))
}

// handedOver reports whether the member at an address was leaving before c.
func handedOver(changes []change, address string, c change) bool {
	for _, before := range slices.Backward(changes) {
		if before.epoch < c.epoch {
			if slices.Contains(before.leaving, address) {
				return true
			}
			if slices.Contains(before.joined, address) {
				return false
			}
		}
	}
	return false
}

// end is how a stay ended, as far as that is known.
func end(s *stay) string {
	if s.Lives {
		return "last seen alive"
	}
	return s.End
}

// first explains a stay before which nothing is known.
func first(s *stay, now *snapshot) string {
	for _, c := range now.changes {
		if c.epoch == s.Epoch && len(c.left) > 0 {
			var names []string
			for _, address := range c.left {
				names = append(names, now.name(address))
			}
			return fmt.Sprintf("activated by a message, in the view of epoch %s, from which %s had gone; it may have been there before",
				short(c.epoch), strings.Join(names, ", "))
		}
	}
	return "activated by a message; where it was before is not known here"
}
