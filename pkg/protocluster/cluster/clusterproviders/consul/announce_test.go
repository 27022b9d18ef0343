package consul_test

import (
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestAnnounce_LockDelay(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Announce(b.within(time.Second), "a", []byte("a joins")); err != nil {
			t.Fatal(err)
		}
		if got, want := b.LockDelays(), []time.Duration{time.Millisecond}; !slices.Equal(got, want) {
			t.Errorf("lock delays = %v, want %v", got, want)
		}
	})
}

// Whatever takes the announcement away, it is back within a beat.
func TestAnnounce_ComesBack(t *testing.T) {
	rows := []struct {
		name string
		lose func(b *bench)
	}{
		{"the session is lost", func(b *bench) { b.DropSessions() }},
		{"somebody deletes the key", func(b *bench) { b.SetValue(folder+"join/a", nil) }},
		{"Consul is a new one", func(b *bench) { b.Reset() }},
		{"a backup is restored", func(b *bench) { b.SetValue(folder+"join/a", nil); b.DropSessions() }},
		{"Consul is down for a minute", func(b *bench) {
			b.link.Cut()
			testkit.Advance(time.Minute)
			b.link.Heal()
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				if err := b.store.Announce(b.within(time.Second), "a", []byte("a joins")); err != nil {
					t.Fatal(err)
				}
				row.lose(b)
				testkit.Advance(11 * time.Second) // a time-out and a beat
				if got, want := b.joiners(), []string{"a joins"}; !slices.Equal(got, want) {
					t.Errorf("joiners = %q, want %q", got, want)
				}
			})
		})
	}
}

func TestAnnounce_LogsEachOutageOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Announce(b.within(time.Second), "a", []byte("a joins")); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			b.link.Cut()
			testkit.Advance(time.Minute)
			b.link.Heal()
			testkit.Advance(time.Minute)
		}
		if got := b.node.log.lines("not announced"); got != 2 {
			t.Errorf("%d lines of two outages:\n%s", got, b.node.log.text.String())
		}
		if got := b.node.log.lines("announced again"); got != 2 {
			t.Errorf("%d lines of two recoveries:\n%s", got, b.node.log.text.String())
		}
	})
}

// A failure leaves nothing that comes to life later.
func TestAnnounce_FailsWhole(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Permit("", "session:write", "key:read")
		if err := b.store.Announce(b.within(time.Second), "a", nil); err == nil {
			t.Error("Announce without the right to write = nil, want an error")
		}
		b.Permit("", "session:write", "key:write")
		testkit.Advance(time.Minute)
		if got := b.joiners(); len(got) != 0 {
			t.Errorf("joiners = %q, want none", got)
		}
		if err := b.store.Announce(b.within(time.Second), "b", []byte("b joins")); err != nil {
			t.Errorf("Announce = %v", err)
		}
		if got := len(b.LockDelays()); got != 1 {
			t.Errorf("%d sessions, want 1: the first should be gone", got)
		}
	})
}

func TestAnnounce_WithdrawAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		if err := b.store.Announce(b.within(time.Second), "a", []byte("a joins")); err != nil {
			t.Fatal(err)
		}
		b.link.Cut()
		if err := b.store.Withdraw(b.within(time.Second)); err == nil {
			t.Error("Withdraw without Consul = nil, want an error")
		}
		b.link.Heal()
		if err := b.store.Withdraw(b.within(time.Second)); err != nil {
			t.Errorf("Withdraw again = %v", err)
		}
		if got := b.joiners(); len(got) != 0 {
			t.Errorf("joiners = %q, want none", got)
		}
	})
}
