package consul_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

var appearance = consultest.Service{
	ID: "shop-m-1", Name: "shop", Address: "10.0.0.1", Port: 8090, Tags: []string{"cart", "user"},
	Meta: map[string]string{"member": "m-1", "status": "up"}, Output: "up, hosts 2 kinds", Passing: true,
}

func (b *bench) shows(want ...consultest.Service) {
	b.Helper()
	if got := b.Services(); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		b.Errorf("Consul shows %+v, want %+v", got, want)
	}
}

func TestShow(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Show(b.within(time.Second), member); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			testkit.Advance(10 * time.Second)
			b.shows(appearance)
		}
		leaving := member
		leaving.Status = cluster.Leaving
		if err := b.store.Show(b.within(time.Second), leaving); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(10 * time.Second)
		changed := appearance
		changed.Meta, changed.Output = map[string]string{"member": "m-1", "status": "leaving"}, "leaving, hosts 2 kinds"
		b.shows(changed)
		b.close()
		b.shows()
		testkit.Advance(time.Hour) // and it stays away
		b.shows()
	})
}

// A process that crashed does not stay in people's sight.
func TestShow_Crash(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Show(b.within(time.Second), member); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(6 * time.Second)
		b.link.Cut()
		testkit.Advance(16 * time.Second)
		critical := appearance
		critical.Passing = false
		b.shows(critical)
		testkit.Advance(time.Minute)
		b.shows()
		b.link.Heal()
		testkit.Advance(11 * time.Second)
		b.shows(appearance)
	})
}

func TestShow_AgentLosesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Show(b.within(time.Second), member); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b.DropServices()
			testkit.Advance(11 * time.Second)
			b.shows(appearance)
		}
		if got := b.node.log.lines("not visible"); got != 0 {
			t.Errorf("%d warnings of what mends itself", got)
		}
		b.DropServices()
		b.close() // which deregisters what nobody knows
		testkit.Advance(time.Minute)
		b.shows()
	})
}

// Whatever keeps Show from working, it is tried again, not too often.
func TestShow_FailsAtFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Permit("", "key:write")
		err := b.store.Show(b.within(time.Second), member)
		if err == nil || !strings.Contains(err.Error(), `service "shop" { policy = "write" }`) {
			t.Errorf("Show without the right = %v, want the rule", err)
		}
		testkit.Advance(10 * time.Minute)
		if got := len(b.Requests("PUT", "service/register")); got < 10 || got > 300 {
			t.Errorf("%d attempts in 10 minutes, want between 10 and 300", got)
		}
		if got := b.node.log.lines("not visible"); got != 1 {
			t.Errorf("%d warnings, want 1:\n%s", got, b.node.log.text.String())
		}
		b.Permit("", "key:write", "service:write")
		testkit.Advance(12 * time.Second)
		b.shows(appearance)
	})
}

func TestShow_AnotherSelf(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, id := range []string{"m-0", "m-1"} {
			m := member
			m.ID = id
			if err := b.store.Show(b.within(time.Second), m); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Advance(6 * time.Second)
		b.shows(appearance)
	})
}

func TestShow_OddNames(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		odd := cluster.Member{ID: "a/b?c#d%2F ü", Address: "nonsense"}
		if err := b.store.Show(b.within(time.Second), odd); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(10 * time.Minute)
		if got := len(b.Requests("service/register")); got != 1 {
			t.Errorf("registered %d times, want once", got)
		}
		b.close()
		b.shows()
	})
}
