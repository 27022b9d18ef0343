package model

import "testing"

// An invariant that nothing can break is none.
func TestInvariants_CanBreak(t *testing.T) {
	m, err := New(Config{Nodes: 3, Audit: true})
	if err != nil {
		t.Fatal(err)
	}
	lease := func(s *State, i int) {
		m.renew(s, i, 0)
		m.renew(s, i, 1)
	}
	rows := []struct {
		want   Fault
		step   Step
		change func(before, after *State)
	}{
		{NoFault, Step{Kind: Tick}, func(_, _ *State) {}},
		{TwoServe, Step{Kind: Activate, Node: 1}, func(_, after *State) {
			lease(after, 0)
			lease(after, 1)
			after.active = 0b11
		}},
		{EvictedServes, Step{Kind: Change}, func(_, after *State) {
			lease(after, 0)
			after.active = 1
			after.epoch++
			after.setView(2, viewOf(0b110, 0))
			m.config.Audit = false
		}},
		{PromiseShrank, Step{Kind: Release}, func(before, _ *State) { before.until.set(1, 2, 1) }},
		{EpochShrank, Step{Kind: Install}, func(before, _ *State) { before.at[1] = 2 }},
		{EpochShrank, Step{Kind: Change}, func(before, _ *State) { before.epoch = 2 }},
		{ExclusionLost, Step{Kind: Renew}, func(before, _ *State) { before.marks |= excluded << (12 + 3) }},
		{LeaseRemoved, Step{Kind: Change, Remove: 1}, func(before, after *State) {
			lease(before, 0)
			lease(after, 0)
		}},
		{LeaseRemoved, Step{Kind: Tick}, func(_, after *State) {
			lease(after, 0)
			after.epoch++
			after.setView(2, viewOf(0b110, 0))
		}},
		{TokenShrank, Step{Kind: Activate, Node: 0}, func(before, _ *State) { before.token = 2 }},
	}
	for _, row := range rows {
		t.Run(row.want.String(), func(t *testing.T) {
			before, after := m.Initial(), m.Initial()
			row.change(&before, &after)
			after.fault = m.faultOf(&before, row.step, &after)
			if got := m.Check(&after); got != row.want {
				t.Errorf("Check = %v, want %v", got, row.want)
			}
			m.config.Audit = true
		})
	}
}

func TestPairs(t *testing.T) {
	var p pairs
	p.set(Store, 3, 7)
	p.set(0, 0, 1)
	p.set(2, 1, 2)
	if got := p.tick(); got.at(Store, 3) != 6 || got.at(0, 0) != 0 || got.at(2, 1) != 1 || got.tick().tick().at(2, 1) != 0 {
		t.Errorf("tick = %o, want each digit one less but no less than none", got)
	}
	if got := p.nonzero() & column(1); got.at(2, 1) != 1 || got.with(1, column(1)) != 1 || got.with(1, row(0)) != 0 {
		t.Errorf("nonzero in column 1 = %o, want one in row 2", got)
	}
	if rows(0b10001) != row(0)|row(Store) || columns(0b101) != column(0)|column(2) {
		t.Errorf("rows = %o, columns = %o", rows(0b10001), columns(0b101))
	}
}

// forget is done when it is done: what it leaves it leaves again.
func TestForget_IsIdempotent(t *testing.T) {
	for _, c := range []Config{
		{Nodes: 2}, {Nodes: 3, Changes: 2}, {Nodes: 3, Store: StoreOnly, Leaving: true},
		{Nodes: 3, Initial: 2, Changes: 2, Horizon: 2, Override: true, Cancel: true, Ranking: "201"},
	} {
		m, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		known := map[State]bool{}
		queue := []State{m.Start()}
		x := m.Expander(func(step Step, s *State) {
			if known[*s] {
				return
			}
			known[*s] = true
			queue = append(queue, *s)
			again := *s
			m.learn(&again)
			m.forget(&again, Change)
			if again != *s {
				t.Errorf("%v: after %v forget makes\n%+v of\n%+v", c, step, again, *s)
			}
		})
		for len(queue) > 0 && len(known) < 50_000 && !t.Failed() {
			s := queue[0]
			queue = queue[1:]
			x.Expand(&s)
		}
	}
}
