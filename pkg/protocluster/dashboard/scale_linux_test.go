package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// mostCPU is what a page may take of one processor, with 20 members and 100,000
// identities, for all that it does and for what it has the members do.
const mostCPU = 0.3

// BenchmarkScale is what a page costs that somebody looks at: processors, by what
// the process takes more than without it, and bytes.
func BenchmarkScale(b *testing.B) {
	for _, size := range []struct{ members, identities int }{{3, 1_000}, {20, 100_000}} {
		b.Run(fmt.Sprintf("%d members, %d identities", size.members, size.identities), func(b *testing.B) {
			cost(b, size.members, size.identities)
		})
	}
}

func cost(b *testing.B, members, identities int) {
	b.Helper()
	var reporters []*dashboard.Reporter
	watch := testkit.WithConfig(func(_ int, c *cluster.Config) *cluster.Config {
		reporters = append(reporters, dashboard.NewReporter(dashboard.ReporterConfig{}))
		return reporters[len(reporters)-1].Watch(c)
	})
	c := testkit.NewCluster(b, members, testkit.WithKinds(users(cluster.Eventual())), watch)
	defer c.Close()
	for i, node := range c.Nodes() {
		reporters[i].Attach(node.Cluster)
	}
	client := c.AddClient()
	crowd(b, client, identities)
	var with, without, bytes float64
	for b.Loop() {
		without += spent(b)
		page := dashboard.NewPage(client.Cluster, reporters[members], dashboard.Config{})
		ctx, cancel := context.WithCancel(b.Context())
		ran := make(chan error, 1)
		go func() { ran <- page.Run(ctx) }()
		server := httptest.NewServer(page)
		read := follow(ctx, b, server.URL)
		with += spent(b)
		cancel()
		if err := <-ran; err != nil {
			b.Error(err)
		}
		bytes += float64(<-read)
		server.Close()
	}
	n := float64(b.N)
	cpu := (with - without) / n
	b.ReportMetric(cpu, "processors")
	b.ReportMetric(bytes/n, "bytes")
	b.ReportMetric(0, "ns/op")
	if cpu > mostCPU {
		b.Errorf("the page takes %.3f processors, want at most %v", cpu, mostCPU)
	}
}

// follow reads a page's stream until its end, and then tells how long it was.
func follow(ctx context.Context, b *testing.B, url string) <-chan int64 {
	b.Helper()
	read := make(chan int64, 1)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		n, _ := io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		read <- n
	}()
	return read
}

// spent is how much of one processor this process takes, over some seconds.
func spent(b *testing.B) float64 {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began, before := time.Now(), used()
	<-time.After(4 * time.Second)
	return (used() - before).Seconds() / time.Since(began).Seconds()
}
