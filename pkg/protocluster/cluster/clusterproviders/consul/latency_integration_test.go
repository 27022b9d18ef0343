//go:build integration

package consul_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
)

// TestLive_Latency prints how long the calls take that a view change is made of,
// with a record of three members and one of a thousand.
func TestLive_Latency(t *testing.T) {
	for _, mode := range []string{"in memory", "on disk"} {
		var config consultest.Config
		if mode == "on disk" {
			config.Dir = t.TempDir()
		}
		agent := consultest.Start(t, config)
		for _, members := range []int{3, 1000} {
			latency(t, agent, mode, members)
		}
	}
}

func latency(t *testing.T, agent *consultest.Agent, mode string, members int) {
	t.Helper()
	rounds := 200
	if members > 100 {
		rounds = 50
	}
	writer, watcher := goLive(t, agent), goLive(t, agent)
	var writes, reads, watches []time.Duration
	data := strings.Repeat("x", 200*members)
	version := writer.read().Version
	for i := range rounds {
		since := watcher.read()
		noticed, errs := make(chan time.Time, 1), make(chan error, 1)
		go func() {
			errs <- watcher.store.Wait(watcher.within(patience), since)
			noticed <- time.Now()
		}()
		<-time.After(15 * time.Millisecond) // so that the wait has begun
		begin := time.Now()
		version = writer.write(fmt.Sprint(i, data), version)
		done := time.Now()
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		writes, watches = append(writes, done.Sub(begin)), append(watches, (<-noticed).Sub(begin))
		begin = time.Now()
		writer.read()
		reads = append(reads, time.Since(begin))
	}
	for name, all := range map[string][]time.Duration{"write": writes, "consistent read": reads, "write to end of wait": watches} {
		slices.Sort(all)
		at := func(share int) time.Duration { return all[(len(all)-1)*share/100].Round(10 * time.Microsecond) }
		t.Logf("%s, %4d members, %-20s p50 %v, p90 %v, p99 %v", mode, members, name, at(50), at(90), at(99))
	}
}
