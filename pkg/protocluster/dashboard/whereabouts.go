package dashboard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/dashboard/internal/journal"
)

// calm is how long nothing has moved when a move is told as one event.
const calm = 750 * time.Millisecond

// whereabouts follows the sampled identities from member to member.
type whereabouts struct {
	level int               // of all samples
	homes map[uint64]string // the address of the member that an identity was last seen on
	moved map[[2]string]int // from and to
	began time.Time         // of the move under way
	last  time.Time         // when something moved last
	twice map[uint64]bool   // identities seen on two members at once, and told
}

func newWhereabouts() whereabouts {
	return whereabouts{homes: make(map[uint64]string), moved: make(map[[2]string]int), twice: make(map[uint64]bool)}
}

// settle chooses the level at which all samples together are small enough.
func (w *whereabouts) settle(all map[string]said) {
	total := func(level int) (n int) {
		for _, s := range all {
			n += s.sample.count(level)
		}
		return n
	}
	for w.level < 63 && total(w.level) > mostSampled {
		w.level++
	}
	if w.level > 0 && total(w.level) < mostSampled/4 {
		w.level-- // the samples are there after the next answers
	}
}

// count is how many of a sample are of a level.
func (s *sample) count(level int) (n int) {
	if s == nil {
		return 0
	}
	if s.level >= level {
		return len(s.hashes)
	}
	for _, hash := range s.hashes {
		if journal.Level(hash) >= level {
			n++
		}
	}
	return n
}

// follow notes what moved, and what is in two places. Only answers that are not
// older than fresh count.
func (w *whereabouts) follow(now time.Time, all map[string]said, tell func(event, string, ...any), name func(string) string) {
	seen := make(map[uint64]string)
	for _, address := range slices.Sorted(maps.Keys(all)) {
		s := all[address]
		if s.sample == nil || !acts(s, now) {
			continue
		}
		for _, hash := range s.sample.hashes {
			if journal.Level(hash) < w.level {
				continue
			}
			if other, two := seen[hash]; two {
				w.double(hash, all[other], s, tell, name(other), name(address))
				continue
			}
			seen[hash] = address
			if home, known := w.homes[hash]; known && home != address {
				w.moved[[2]string{home, address}]++
				w.last = now
				if w.began.IsZero() {
					w.began = now
				}
			}
			w.homes[hash] = address
		}
	}
	maps.DeleteFunc(w.twice, func(hash uint64, _ bool) bool { return !w.still(hash, now, all) })
	if len(w.homes) > 8*mostSampled {
		maps.DeleteFunc(w.homes, func(hash uint64, _ string) bool { _, in := seen[hash]; return !in })
	}
	if len(w.moved) > 0 && now.Sub(w.last) >= calm {
		w.tell(tell, name)
	}
}

// double tells of an identity that two members had at the same time: from when
// both were seen to have it until both were asked again.
func (w *whereabouts) double(hash uint64, a, b said, tell func(event, string, ...any), one, other string) {
	since, until := a.sample.since[hash], a.asked
	if s := b.sample.since[hash]; s.After(since) {
		since = s
	}
	if b.asked.Before(until) {
		until = b.asked
	}
	if since.After(until) || w.twice[hash] {
		return
	}
	w.twice[hash] = true
	if len(w.twice) == 1 {
		tell(event{Weight: worst}, "an identity is active twice, on %s and %s", one, other)
	}
}

// still reports whether an identity is on two members.
func (w *whereabouts) still(hash uint64, now time.Time, all map[string]said) bool {
	n := 0
	for _, s := range all {
		if s.sample != nil && acts(s, now) {
			if _, in := s.sample.since[hash]; in {
				n++
			}
		}
	}
	return n > 1
}

// tell sums a move up.
func (w *whereabouts) tell(tell func(event, string, ...any), name func(string) string) {
	total, parts := 0, []string{}
	pairs := slices.SortedFunc(maps.Keys(w.moved), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(w.moved[b], w.moved[a]), slices.Compare(a[:], b[:]))
	})
	for i, pair := range pairs {
		total += w.moved[pair]
		if i < 4 {
			parts = append(parts, fmt.Sprintf("%s → %s %d", name(pair[0]), name(pair[1]), w.moved[pair]<<w.level))
		}
	}
	if len(pairs) > 4 {
		parts = append(parts, fmt.Sprintf("%d more ways", len(pairs)-4))
	}
	about := ""
	if w.level > 0 {
		about = "about "
	}
	noun := "identities"
	if total == 1 {
		noun = "identity"
	}
	tell(event{At: w.began}, "%s%d %s moved: %s", about, total<<w.level, noun, strings.Join(parts, ", "))
	clear(w.moved)
	w.began = time.Time{}
}
