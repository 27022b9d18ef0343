package sealedview

import (
	"fmt"
	"testing"
	"time"
)

const second = time.Second

// sealedLease returns a sealed lease of voters, with evidence as of now.
func sealedLease(now time.Duration, voters ...string) Lease {
	l := newLease(viewFor(3, Stamp{2, "s2"}, voters...))
	l.Seal(now)
	l.Evidence(now)
	return l
}

func TestLease_CountsFromTheGrantThatCompletesAMajority(t *testing.T) {
	p := Defaults()
	l := sealedLease(0, "a", "b", "c", "d", "e")
	for i, row := range []struct {
		voter string
		sent  time.Duration
		want  time.Duration
	}{
		{"a", 50 * time.Millisecond, never},
		{"b", 10 * time.Millisecond, never},
		{"x", 40 * time.Millisecond, never}, // is no voter
		{"a", 60 * time.Millisecond, never}, // votes once
		{"c", 20 * time.Millisecond, 10*time.Millisecond + p.Term()},
		{"d", 30 * time.Millisecond, 20*time.Millisecond + p.Term()},
		{"d", 5 * time.Millisecond, 20*time.Millisecond + p.Term()}, // late
		{"e", 90 * time.Millisecond, 30*time.Millisecond + p.Term()},
	} {
		l.Grant(row.voter, row.sent)
		got := l.Until(&p)
		if row.want == never && got > 0 || row.want != never && got != row.want {
			t.Errorf("after %d grants, the last of %s, Until = %v, want %v", i+1, row.voter, got, row.want)
		}
	}
}

func TestLease_TakesASealedView(t *testing.T) {
	p := Defaults()
	l := newLease(viewFor(3, Stamp{2, "s2"}, "a"))
	l.Grant("a", 0)
	l.Evidence(0)
	if got := l.Until(&p); got != never {
		t.Errorf("Until = %v in a view that is not sealed", got)
	}
	l.Seal(second)
	l.Seal(2 * second)
	if l.sealed != second || l.Until(&p) != p.Term() {
		t.Errorf("sealed at %v, Until = %v; want 1s, %v", l.sealed, l.Until(&p), p.Term())
	}
}

func TestLease_EndsWithItsEvidence(t *testing.T) {
	p := Defaults()
	l := sealedLease(0, "a")
	l.Grant("a", 100*second)
	if got := l.Until(&p); got != p.Fresh() {
		t.Errorf("with evidence of instant 0 Until = %v, want %v", got, p.Fresh())
	}
	l.Evidence(90 * second)
	l.Evidence(80 * second) // late
	if got := l.Until(&p); got != 100*second+p.Term() {
		t.Errorf("with newer evidence Until = %v, want %v", got, 100*second+p.Term())
	}
	l.Renounce(95 * second)
	if got := l.Until(&p); got != never {
		t.Errorf("with evidence that was renounced Until = %v", got)
	}
}

func TestLease_DoubtLeavesItATerm(t *testing.T) {
	p := Defaults()
	l := sealedLease(0, "a")
	l.Grant("a", 10*second)
	l.Doubt(9 * second)
	l.Doubt(9500 * time.Millisecond)
	if got := l.Until(&p); got != 9*second+p.Term() {
		t.Errorf("Until = %v, want %v: the time of a lease after the first doubt", got, 9*second+p.Term())
	}
}

// clock runs at a rate that is off by a fraction.
type clock struct {
	offset time.Duration
	off    float64
}

func (c clock) at(instant time.Duration) time.Duration {
	return c.offset + instant + time.Duration(float64(instant)*c.off)
}

// T1: whatever the times of requests and answers are and the rates of clocks
// within rho, a lease has ended before anybody may rely on that the promises for
// it have run out: the grantor itself, or who asked it what remains and waits.
// Delays are in parts of a lease, rates in parts of rho.
func FuzzLeaseClock(f *testing.F) {
	f.Add(uint32(0), uint16(1), uint16(1), uint16(1), int8(0), int8(0), int8(0), uint16(1000), uint8(10))
	f.Add(uint32(5000), uint16(0), uint16(32768), uint16(0), int8(-127), int8(127), int8(127), uint16(1000), uint8(10))
	f.Add(uint32(5000), uint16(0), uint16(100), uint16(0), int8(-127), int8(-127), int8(127), uint16(200), uint8(10))
	f.Add(uint32(1), uint16(7000), uint16(30000), uint16(9), int8(-127), int8(127), int8(0), uint16(60_000), uint8(100))
	f.Fuzz(func(t *testing.T, sent uint32, toGrantor, toQuestion, toAnswer uint16, member, grantor, remover int8, lease uint16, drift uint8) {
		p := Defaults()
		p.Drift = float64(drift%101) / 1000
		p.Lease = time.Duration(max(lease, 100)) * time.Millisecond
		p.Margin = p.Lease / 50
		part := func(n uint16) time.Duration { return p.Lease * time.Duration(n) / 32768 }
		rate := func(n int8) float64 { return p.Drift * float64(max(n, -127)) / 127 }
		m, g, r := clock{123, rate(member)}, clock{456 * second, rate(grantor)}, clock{789 * second, rate(remover)}

		l := newLease(viewFor(1, Stamp{}, "m"))
		asked := time.Duration(sent) * time.Microsecond
		l.Grant("m", m.at(asked))
		end := l.Voted(&p) // on the member's clock

		var promises Grantor
		promises.Install(&p, Stamp{1, "s1"})
		granted := asked + part(toGrantor)
		if !promises.Grant(&p, g.at(granted), Stamp{1, "s1"}, "m") {
			t.Fatal("no grant")
		}
		excluded := granted + part(toQuestion)
		left := promises.Remaining(g.at(excluded), "m")
		if left == 0 && m.at(excluded) < end {
			t.Errorf("the grantor's promise is over, the lease lasts for another %v of %v", end-m.at(excluded), p.Lease)
		}
		// The remover hears of it, and waits; it is over no earlier than this.
		answered := excluded + part(toAnswer)
		due := r.at(answered) + p.Outlast(left)
		over := answered + time.Duration(float64(p.Outlast(left))/(1+r.off))
		for r.at(over) > due {
			over--
		}
		if m.at(over) < end {
			t.Errorf("the removal is due, the lease lasts for another %v of %v", end-m.at(over), p.Lease)
		}
	})
}

func ExampleLease() {
	p := Defaults()
	v := &View{Stamp: Stamp{1, "a-1"}, Mode: Council, Members: []Member{{ID: "a"}, {ID: "b"}, {ID: "c"}}}
	l := newLease(v)
	l.Seal(0) // there is no view before the first
	l.Evidence(0)
	l.Grant("a", 100*time.Millisecond)
	fmt.Println(l.Until(&p) > 0)
	l.Grant("c", 150*time.Millisecond)
	fmt.Println(l.Until(&p).Round(time.Millisecond)) // 100ms, and T1's 960ms
	// Output:
	// false
	// 1.06s
}
