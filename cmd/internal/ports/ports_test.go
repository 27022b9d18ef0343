package ports_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/protocluster/workshop/cmd/internal/ports"
)

func TestFree(t *testing.T) {
	free, err := ports.Free(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(free)
	if len(slices.Compact(slices.Clone(free))) != 20 {
		t.Errorf("ports = %v, want twenty", free)
	}
	given, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip("only Linux says which ports it gives away")
	}
	var from, to int
	if _, err := fmt.Sscan(string(given), &from, &to); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(free, func(port int) bool { return from <= port && port <= to }); i >= 0 {
		t.Errorf("port %d is one of those from %d to %d that the system gives away", free[i], from, to)
	}
}
