package seat

import (
	"slices"
	"testing"
	"time"
)

// What a host is told of its lease. A new view begins without one.
func TestEdge(t *testing.T) {
	type step struct {
		at, until time.Duration // now, and when the lease ends
		view      bool          // a view was installed before
		slept     bool
		want      []what
	}
	const ms = time.Millisecond
	rows := []struct {
		name  string
		steps []step
	}{
		{"the first lease", []step{{at: 1 * ms, until: never, view: true}, {at: 2 * ms, until: 100 * ms, want: []what{regained}}, {at: 50 * ms, until: 150 * ms}}},
		{"it ends, and is back", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 100 * ms, until: 100 * ms, want: []what{lapsed}}, {at: 110 * ms, until: 100 * ms}, {at: 120 * ms, until: 200 * ms, want: []what{regained}},
		}},
		{"a view in between", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 50 * ms, until: never, view: true}, {at: 60 * ms, until: 150 * ms, want: []what{regained}},
		}},
		{"a view that gets no lease in time", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 50 * ms, until: never, view: true}, {at: 60 * ms, until: never, view: true}, {at: 99 * ms, until: never},
			{at: 100 * ms, until: never, want: []what{lapsed}}, {at: 120 * ms, until: 300 * ms, want: []what{regained}},
		}},
		{"a view after the end", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 100 * ms, until: 100 * ms, want: []what{lapsed}}, {at: 110 * ms, until: never, view: true}, {at: 300 * ms, until: never},
			{at: 310 * ms, until: 400 * ms, want: []what{regained}},
		}},
		{"it ends, and is back before anybody looks", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 100 * ms, until: 200 * ms, want: []what{lapsed, regained}}, {at: 150 * ms, until: 250 * ms},
		}},
		{"a view after an end that nobody saw", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 110 * ms, until: never, view: true, want: []what{lapsed}}, {at: 120 * ms, until: 200 * ms, want: []what{regained}},
		}},
		{"a sleep ends it at once", []step{
			{at: 1 * ms, until: 100 * ms, view: true, want: []what{regained}},
			{at: 50 * ms, until: never, view: true}, {at: 60 * ms, until: never, slept: true, want: []what{lapsed}},
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var e edge
			until := time.Duration(never)
			for _, s := range row.steps {
				if next := e.next(until); next < s.at && len(s.want) == 0 {
					t.Errorf("before %v it is to be asked at %v", s.at, next)
				}
				if s.slept {
					e.slept(s.at)
				}
				if s.view {
					e.renewed(until)
				}
				var got []what
				gap := s.at >= until
				until = s.until
				e.pass(s.at, until, gap, func(c call) { got = append(got, c.what) })
				if !slices.Equal(got, s.want) {
					t.Errorf("at %v the host is told %v, want %v", s.at, got, s.want)
				}
			}
		})
	}
}
