package crowd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/process"
)

const kind = "idler" // of the grains

// crowd is the members of one cluster.
type crowd interface {
	// add starts n members, and returns once each says that it has joined.
	add(ctx context.Context, n int) error
	// agreed tells whether each member sees that many.
	agreed(members int) bool
	// activate makes the first member activate a grain.
	activate(ctx context.Context, identity string) error
}

// gather prepares a crowd of up to that many members.
type gather func(members int) (crowd, error)

// gathers are those of the contenders.
var gathers = map[string]gather{bench.Protocluster: newStrict, bench.ProtoActor: newProtoActor, bench.Eventual: newEventual}

// Workloads returns the workloads of this package.
func Workloads(quick bool) []bench.Workload {
	sizes, grains := []int{3, 10, 30, 100}, []int{1_000, 10_000, 100_000, 1_000_000}
	if quick {
		sizes, grains = sizes[:1], grains[:1]
	}
	var all []bench.Workload
	for _, n := range sizes {
		all = append(all, members(n, quick))
	}
	for _, n := range grains {
		all = append(all, idle(n))
	}
	return all
}

// Servers are the processes that measure, by what they measure and the
// contender's name.
func Servers() map[string]process.Server {
	servers := make(map[string]process.Server)
	for name, g := range gathers {
		servers["members/"+name] = serve(g, measureMembers)
		servers["grains/"+name] = serve(g, measureGrains)
	}
	return servers
}

// measure gathers n members, or one with n grains, and watches it for a while.
type measure func(ctx context.Context, gather gather, n int, window time.Duration) (bench.Sample, error)

// serve measures with the number of members or grains, and the time in which
// nothing happens, as arguments.
func serve(gather gather, measure measure) process.Server {
	return func(ctx context.Context, args []string, ready func(string)) error {
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		window, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		sample, err := measure(ctx, gather, n, window)
		if err == nil {
			ready(strings.Trim(fmt.Sprint([]float64(sample)), "[]"))
		}
		return err // the crowd ends with the process
	}
}

// contenders are those of the names, which measure what in processes of their own.
func contenders(what string, n int, window time.Duration, names ...string) []bench.Contender {
	var all []bench.Contender
	for _, name := range names {
		run := func(ctx context.Context) (bench.Sample, error) {
			out, err := process.Output(ctx, what+"/"+name, strconv.Itoa(n), window.String())
			if err != nil {
				return nil, err
			}
			return parse(out)
		}
		all = append(all, bench.Contender{Name: name, Open: func(context.Context) (*bench.Instance, error) {
			return &bench.Instance{Run: run}, nil
		}})
	}
	return all
}

func parse(out string) (bench.Sample, error) {
	var sample bench.Sample
	for field := range strings.FieldsSeq(out) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, err
		}
		sample = append(sample, v)
	}
	return sample, nil
}
