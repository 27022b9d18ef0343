package dashboard_test

import (
	"runtime"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// member is one member, with a reporter or without.
func memberOf(b *testing.B, reporter *dashboard.Reporter) *testkit.Node {
	b.Helper()
	watch := testkit.WithConfig(func(_ int, c *cluster.Config) *cluster.Config {
		if reporter == nil {
			return c
		}
		return reporter.Watch(c)
	})
	c := testkit.NewCluster(b, 1, testkit.WithKinds(users(cluster.Eventual())), watch)
	b.Cleanup(c.Close)
	return c.Node(0)
}

// BenchmarkReporter_Request is a request on one node, which costs the least there
// is: with a reporter and without.
func BenchmarkReporter_Request(b *testing.B) {
	for name, reporter := range map[string]*dashboard.Reporter{"with": dashboard.NewReporter(dashboard.ReporterConfig{}), "without": nil} {
		b.Run(name, func(b *testing.B) {
			node := memberOf(b, reporter)
			for b.Loop() {
				if _, err := node.Request(b.Context(), user(1), secret); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReporter_Memory is what 20,000 activations take that have handled ten
// messages each.
func BenchmarkReporter_Memory(b *testing.B) {
	const n = 20_000
	for name, reporter := range map[string]*dashboard.Reporter{"with": dashboard.NewReporter(dashboard.ReporterConfig{}), "without": nil} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				node := memberOf(b, reporter)
				for i := range n {
					for range 10 {
						if _, err := node.Request(b.Context(), user(i), secret); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(heap()-before)/n, "B/activation")
				runtime.KeepAlive(node)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
