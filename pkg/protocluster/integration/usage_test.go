//go:build integration

package integration_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// usage is processor time, as Linux counts it.
type usage struct {
	at   time.Time
	all  time.Duration // of the whole machine
	ours time.Duration // of the nodes and the test
}

// tickOfLinux is the unit in which Linux tells processor time on every platform.
const tickOfLinux = 10 * time.Millisecond

// usage is what was used so far. Nodes must not end between two calls.
func (f *fleet) usage() usage {
	u := usage{at: time.Now()}
	if fields := statFields("/proc/stat"); len(fields) > 8 {
		u.all = ticks(fields[1], fields[2], fields[3], fields[6], fields[7]) // user, nice, system, interrupts
	}
	pids := []int{os.Getpid()}
	for _, p := range f.nodes() {
		pids = append(pids, p.cmd.Process.Pid)
	}
	for _, pid := range pids {
		fields := statFields(fmt.Sprintf("/proc/%d/stat", pid))
		if len(fields) > 15 {
			u.ours += ticks(fields[13], fields[14])
		}
	}
	return u
}

// others is the share of the machine that went to others since before.
func (u usage) others(before usage) float64 {
	spent := (u.all - before.all) - (u.ours - before.ours)
	return max(0, spent.Seconds()) / (u.at.Sub(before.at).Seconds() * float64(runtime.NumCPU()))
}

// statFields are the fields of the first line of a file; this program's name has
// no blank in it.
func statFields(file string) []string {
	text, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.Fields(line)
}

func ticks(fields ...string) (sum time.Duration) {
	for _, field := range fields {
		n, _ := strconv.ParseInt(field, 10, 64)
		sum += time.Duration(n) * tickOfLinux
	}
	return sum
}
