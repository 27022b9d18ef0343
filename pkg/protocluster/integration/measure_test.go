//go:build integration && measure

package integration_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// figures are the rows of a table.
type figures struct {
	busy string // what the machine did before
	rows [][4]string
}

// row adds what was measured, of what, what came of it and what it should be.
func (f *figures) row(t testing.TB, what, of, result, goal string) {
	t.Helper()
	f.rows = append(f.rows, [4]string{what, of, result, goal})
	t.Logf("%s (%s): %s; the goal is %s", what, of, result, goal)
}

// TestMeasure measures what the library promises in numbers, and fails only if a
// promise is broken that is none of time. The environment variable MEASURED names
// the file that the table goes to, and KILLS says how often to kill, by default
// 100 times.
func TestMeasure(t *testing.T) {
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("KILLS"), "100"))
	if err != nil {
		t.Fatalf("KILLS: %v", err)
	}
	table := &figures{busy: busy()}
	t.Run("failover", func(t *testing.T) { table.failover(t, kills) })
	t.Run("five members", func(t *testing.T) {
		b := &bout{fleet: launchFleet(t, size{servers: 3, members: 5, clients: 2}), rng: rand.New(rand.NewPCG(rand.Uint64(), 0))}
		b.whole()
		measure := func(name string, f func(t *testing.T, b *bout)) {
			t.Run(name, func(t *testing.T) {
				b.TB = t
				defer func() { b.TB = b.root }()
				f(t, b)
				b.judge()
			})
		}
		measure("steady", table.steady)
		measure("pauses", table.pauses)
		measure("restarts", table.restarts)
		measure("Consul down", table.consulDown)
		measure("burn", table.burn)
	})
	text := table.text()
	t.Log("\n" + text)
	if file := os.Getenv("MEASURED"); file != "" && !t.Failed() {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // a page to read
			t.Error(err)
		}
	}
}

// failover kills one of three members, again and again, and measures how long it
// takes until all of 1,000 identities have answered since.
func (f *figures) failover(t *testing.T, kills int) {
	b := &bout{fleet: launchFleet(t, size{servers: 3, members: 3, clients: 1}), rng: rand.New(rand.NewPCG(rand.Uint64(), 0))}
	identities := names("failover", 1000)
	var took []time.Duration
	for range kills {
		b.whole()
		b.answered(b.sweep(identities, patience))
		background.Sleep(t.Context(), time.Second+time.Duration(b.rng.IntN(500))*time.Millisecond)
		slot := b.rng.IntN(len(b.members))
		killed := referee.Now()
		if err := b.members[slot].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		s := b.sweep(identities, patience)
		b.answered(s)
		took = append(took, s.Last-killed)
		b.kill(slot)
		b.start(slot)
	}
	b.judge()
	f.row(t, "kill -9 of one of three members until all of 1,000 identities answer", fmt.Sprintf("%d kills", kills),
		percentiles(took), "p50 ≤ 1.2 s, p99 ≤ 1.6 s")
}

// percentiles are those of some times.
func percentiles(times []time.Duration) string {
	if len(times) == 0 {
		return "nothing"
	}
	slices.Sort(times)
	at := func(share float64) time.Duration {
		return times[min(len(times)-1, int(share*float64(len(times))))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, most %v", at(0.5), at(0.99), at(1))
}

// steady measures requests while nothing happens, and what that costs the store.
func (f *figures) steady(t *testing.T, b *bout) {
	background.Sleep(t.Context(), 2*time.Second)
	writes := func() (n uint64) {
		looks, err := b.looks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range looks {
			n += r.Stats.StoreWrites
		}
		return n
	}
	identities := names("steady", 100)
	b.answered(b.sweep(identities, patience))
	before := writes()
	b.load(load{Identities: identities, Users: 8, Pause: 20 * time.Millisecond, Timeout: patience})
	background.Sleep(t.Context(), 20*time.Second)
	total := b.halt()
	written := writes() - before
	if written > 0 {
		t.Errorf("the store was written to %d times", written)
	}
	f.row(t, "writes to the store in steady state", fmt.Sprintf("20 s, %d requests", total.Answered), fmt.Sprint(written), "0")
	f.row(t, "time of a request, with the reports to the referee", fmt.Sprintf("%d requests", total.Answered), percentiles(total.Latencies), "–")
}

// pauses halts a member for less than a lease, again and again.
func (f *figures) pauses(t *testing.T, b *bout) {
	const times = 40
	identities := names("pauses", 100)
	b.load(load{Identities: identities, Users: 8, Pause: 50 * time.Millisecond, Timeout: 4 * time.Second})
	lost, lapsed := 0, b.lapses()
	for range times {
		before := b.sweep(identities, patience)
		b.paused(1, 300*time.Millisecond, 700*time.Millisecond)
		background.Sleep(t.Context(), time.Second)
		b.whole()
		if after := b.sweep(identities, patience); changed(before, after) > 0 {
			lost++
		}
	}
	total := b.halt()
	f.row(t, "SIGSTOP of 300–700 ms of one of five members", fmt.Sprintf("%d pauses, %d requests", times, total.Answered),
		fmt.Sprintf("after %d of them state was lost, %d requests failed, %d leases lapsed", lost, total.failed(), b.lapses()-lapsed), "state kept")
}

func (l loaded) failed() int { return l.NotExecuted + l.Refused + l.Unknown }

// restarts restarts all members, one after another.
func (f *figures) restarts(t *testing.T, b *bout) {
	const times = 3
	identities := names("restarts", 100)
	b.answered(b.sweep(identities, patience))
	b.load(load{Identities: identities, Users: 16, Pause: 20 * time.Millisecond, Timeout: 5 * time.Second, Retry: true})
	begin := time.Now()
	for range times {
		b.rollingRestart()
	}
	each := time.Since(begin) / times
	b.whole()
	total := b.halt()
	f.row(t, "rolling restart of five members", fmt.Sprintf("%d times, %v each, %d idempotent requests", times, each.Round(100*time.Millisecond), total.Answered),
		fmt.Sprintf("%d failed, that is %.3f %%; times of a request: %s", total.failed(),
			100*float64(total.failed())/float64(total.failed()+total.Answered), percentiles(total.Latencies)), "< 0.1 % failed")
}

// consulDown takes all of Consul away.
func (f *figures) consulDown(t *testing.T, b *bout) {
	const d = time.Minute
	identities := names("down", 100)
	before := b.sweep(identities, patience)
	lapsed := b.lapses()
	b.load(load{Identities: identities, Users: 8, Pause: 20 * time.Millisecond, Timeout: 5 * time.Second})
	b.withoutConsul(d)
	b.whole()
	total := b.halt()
	lost := changed(before, b.sweep(identities, patience))
	f.row(t, fmt.Sprintf("all of Consul down for %v", d), fmt.Sprintf("%d requests", total.Answered),
		fmt.Sprintf("%d failed, %d leases lapsed, %d identities lost their state; times of a request: %s",
			total.failed(), b.lapses()-lapsed, lost, percentiles(total.Latencies)), "0 failed")
}

// burn has identities compute for three times what there is.
func (f *figures) burn(t *testing.T, b *bout) {
	identities := names("beside", 100)
	b.answered(b.sweep(identities, patience))
	lapsed := b.lapses()
	b.load(load{Identities: identities, Users: 8, Pause: 20 * time.Millisecond, Timeout: patience})
	b.burners(3)
	background.Sleep(t.Context(), 20*time.Second)
	b.quench()
	total := b.halt()
	f.row(t, "identities that compute for three times what the workers can run at once", fmt.Sprintf("20 s, %d requests beside that", total.Answered),
		fmt.Sprintf("%d leases lapsed; times of a request: %s", b.lapses()-lapsed, percentiles(total.Latencies)), "no lease lapses")
}

// text is the table, with the machine and the day.
func (f *figures) text() string {
	var b strings.Builder
	b.WriteString("# Measured\n\n")
	b.WriteString("What `make measure` prints: a cluster of processes on a Consul of three servers, all on one machine, which also makes the load.\n\n")
	fmt.Fprintf(&b, "%s: %s, %d processors, %s; leases of 1 s. The load average before was %s.\n\n",
		time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.Version(), f.busy)
	b.WriteString("| what | of | result | goal |\n|---|---|---|---|\n")
	for _, r := range f.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r[0], r[1], r[2], r[3])
	}
	return b.String()
}

// busy is the load average of the last minute; of 0 nobody else used the machine.
func busy() string {
	text, _ := os.ReadFile("/proc/loadavg")
	average, _, _ := strings.Cut(string(text), " ")
	return cmp.Or(average, "unknown")
}

// processor is the name that Linux has for it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
