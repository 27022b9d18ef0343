package model

// Model is the protocol within the bounds of a configuration.
type Model struct {
	config   Config
	mutation Mutation
	plan     []change
	endless  bool // the changes of the view are not bounded
	ripe     uint8
	start    View
	facts    [256]facts // by View
}

// facts are what follows from a view alone.
type facts struct {
	grantors Set
	quorum   int8 // for leases
	exclude  int8 // for removals
	owner    int8 // of the identity, or -1
	grants   pairs
}

// New returns the model, or every fault of config.
func New(config Config) (*Model, error) {
	c, plan, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Model{
		config: c, mutation: c.Mutation, plan: plan, endless: c.Changes == 0,
		ripe: uint8(max(c.Lease, c.Horizon)), start: viewOf(firstNodes(c.Initial), 0),
	}
	for v := range m.facts {
		m.facts[v] = m.factsOf(View(v))
	}
	return m, nil
}

// Config is what the model was made of, with its zero fields filled in.
func (m *Model) Config() Config { return m.config }

func (m *Model) factsOf(v View) facts {
	f := facts{grantors: m.voters(v), owner: -1}
	f.quorum = int8(f.grantors.Len()/2 + 1)
	f.exclude = f.quorum
	if f.quorum > 1 && (m.mutation == QuorumMinusOne || m.mutation == MinorityExcludes) {
		f.exclude--
	}
	if f.quorum > 1 && m.mutation == QuorumMinusOne {
		f.quorum--
	}
	placed := v.Active()
	if m.mutation == LeavingOwns {
		placed = v.Members()
	}
	for _, r := range m.config.Ranking {
		if i := int(r - '0'); f.owner < 0 && placed.Has(i) {
			f.owner = int8(i)
		}
	}
	grantors := f.grantors
	if m.mutation == AnyMemberGrants {
		grantors |= v.Members()
	}
	f.grants = rows(grantors) & column(0)
	return f
}

// voters are the grantors that a view fixes.
func (m *Model) voters(v View) Set {
	if m.config.Store == StoreOnly {
		return setOf(Store)
	}
	from := v.Members()
	if m.config.Variant&LeavingDoNotVote != 0 && v.Active() != 0 {
		from = v.Active()
	}
	n := from.Len()
	if n == 2 {
		if m.config.Store == StoreThird {
			from |= setOf(Store)
		}
		return from
	}
	if n%2 == 0 { // the largest odd number of the oldest; four nodes never have five
		n--
	}
	for from.Len() > max(n, 0) {
		from &^= setOf(from.last())
	}
	return from
}

// Grantors are the voters of a view's leases.
func (m *Model) Grantors(v View) Set { return m.facts[v].grantors }

// Owner is the node that a view places the identity on, or -1.
func (m *Model) Owner(v View) int { return int(m.facts[v].owner) }

// Start is Initial as an Expander has it.
func (m *Model) Start() State {
	s := m.Initial()
	if !m.config.Plain {
		m.forget(&s, Change)
	}
	return s
}

// Initial is a cluster that has just been made: all its members have installed
// its view and nobody has asked for anything.
func (m *Model) Initial() State {
	s := State{epoch: 1, made: settled, used: m.start.Members()}
	s.setView(1, m.start)
	for i := range m.config.Initial {
		s.at[i] = 1
	}
	m.learn(&s)
	return s
}
