package seat_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// chaos is a cluster of which anything may fail at any time.
type chaos struct {
	*world
	*rand.Rand
	names  []string
	nodes  map[string]*node
	clocks map[string]*sleeper
}

// Whatever happens, nothing is served twice; and when it is over, all is well
// again, without anybody's help.
func TestChaos(t *testing.T) {
	seeds := 5
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inWorld(t, func(w *world) {
				c := &chaos{
					world: w, Rand: rand.New(rand.NewPCG(uint64(seed), 0)), names: []string{"a", "b", "c", "d", "e"}[:3+seed%3],
					nodes: map[string]*node{}, clocks: map[string]*sleeper{},
				}
				for _, name := range c.names {
					c.begin(name)
				}
				for range 40 {
					c.strike()
					c.pass(time.Duration(c.IntN(2000)) * time.Millisecond)
				}
				c.recover()
			})
		})
	}
}

func (c *chaos) begin(name string) {
	clock := &sleeper{start: time.Now()}
	c.clocks[name] = clock
	c.nodes[name] = c.start(name, func(config *seat.Config) { config.Clock = clock })
}

func (c *chaos) any() string { return c.names[c.IntN(len(c.names))] }

// strike has something happen.
func (c *chaos) strike() {
	x, y := c.any(), c.any()
	switch c.IntN(14) {
	case 0:
		c.Partition(x, y)
	case 1:
		c.Cut(testkit.Route{From: x, To: y})
	case 2:
		c.Isolate(x)
	case 3:
		c.Pause(x)
	case 4:
		c.Resume(x)
	case 5:
		c.store.Stall(x)
	case 6:
		c.store.Stall()
	case 7:
		c.store.LoseNext(2)
	case 8:
		c.store.Delay(time.Duration(c.IntN(800)) * time.Millisecond)
	case 9:
		c.Reset(x, y)
	case 10:
		c.clocks[x].sleep(time.Duration(c.IntN(3000)) * time.Millisecond)
	case 11:
		c.nodes[x].kill()
		c.begin(x)
	default:
		c.HealAll()
		c.store.Heal()
	}
}

// recover ends all faults and waits until the members are together.
func (c *chaos) recover() {
	c.HealAll()
	c.store.Heal()
	var alive []*node
	for _, name := range c.names {
		c.Resume(name)
		alive = append(alive, c.nodes[name])
	}
	took := c.together(3*time.Minute, alive...)
	evictions, violations := uint64(0), uint64(0)
	for _, n := range c.world.nodes {
		evictions, violations = evictions+n.Stats().Evictions, violations+n.Stats().Violations
	}
	c.Logf("well again after %v; %d processes, %d evictions, %d views", took, len(c.world.nodes), evictions, alive[0].Stats().Views)
	if violations > 0 {
		c.Errorf("%d invariants did not hold", violations)
	}
}
