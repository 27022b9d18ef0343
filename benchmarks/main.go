// Command benchmarks measures this library beside protoactor-go and beside what
// the machine can do at most: see README.md, and -help.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/apart"
	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/cluster"
	"github.com/protocluster/workshop/benchmarks/internal/crowd"
	"github.com/protocluster/workshop/benchmarks/internal/growth"
	"github.com/protocluster/workshop/benchmarks/internal/local"
	"github.com/protocluster/workshop/benchmarks/internal/process"
	"github.com/protocluster/workshop/benchmarks/internal/remote"
	"github.com/protocluster/workshop/benchmarks/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err := begin(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// begin runs what args select, or one of the processes that this starts.
func begin(ctx context.Context, args []string) error {
	if len(args) < 2 || args[0] != process.Command {
		return run(ctx, args, os.Stdout, os.Stderr)
	}
	server, ok := servers()[args[1]]
	if !ok {
		return fmt.Errorf("benchmarks: no contender is called %q", args[1])
	}
	name := os.Getenv(serverProfile)
	if args[1] == apart.Server {
		name = os.Getenv(contenderProfile)
	}
	stopProfile, err := profile(name)
	if err != nil {
		return err
	}
	defer stopProfile()
	return process.Serve(ctx, server, args[2:])
}

// workloads returns all there are.
func workloads(quick bool) []bench.Workload {
	return slices.Concat(local.Workloads(quick), remote.Workloads(quick), cluster.Workloads(quick), crowd.Workloads(quick))
}

// servers returns what other processes run, by name.
func servers() map[string]process.Server {
	all := remote.Servers()
	maps.Copy(all, cluster.Servers())
	maps.Copy(all, crowd.Servers())
	all[apart.Server] = apart.Serve(find)
	return all
}

// apartFrom has each contender of w in a process of its own, which find knows it
// by.
func apartFrom(w bench.Workload, quick bool) bench.Workload {
	contenders := w.Contenders
	w.Contenders = nil
	for _, c := range contenders {
		w.Contenders = append(w.Contenders, apart.Contender(c, w.Name, c.Name, strconv.FormatBool(quick)))
	}
	return w
}

// find returns the contender that apartFrom has given those arguments.
func find(args []string) (bench.Contender, error) {
	if len(args) == 3 {
		for _, w := range workloads(args[2] == "true") {
			for _, c := range w.Contenders {
				if w.Name == args[0] && c.Name == args[1] {
					return c, nil
				}
			}
		}
	}
	return bench.Contender{}, fmt.Errorf("benchmarks: no contender is %q", args)
}

// run measures what args select, prints the table to out and what is being done
// to log. It fails if any contender has no result.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	f, err := parseFlags(args, log)
	if err != nil {
		return err
	}
	chosen := f.choose(workloads(f.quick))
	if len(chosen) == 0 {
		return errors.New("benchmarks: nothing fits -run and -contenders; -list tells the names, and make wants $$ for $")
	}
	if f.list {
		for _, w := range chosen {
			fmt.Fprintln(out, w.Name)
		}
		return nil
	}
	if f.page != "" {
		if _, _, err := report.Around(f.page); err != nil {
			return err // now, and not after an hour
		}
	}
	err = errors.Join(os.Setenv(contenderProfile, f.cpuProfile), os.Setenv(serverProfile, f.serverProfile))
	if err != nil {
		return err
	}
	f.options.Progress = progress(log)
	results := measure(ctx, chosen, f)
	if err := report.Text(out, report.Rows(results)); err != nil {
		return err
	}
	err = failures(results)
	if f.page != "" && ctx.Err() == nil {
		err = errors.Join(err, write(f, results))
	}
	return err
}

// write makes the page and its picture, with what earlier runs found of the
// workloads that this one left out.
func write(f *flags, results []bench.Result) error {
	var names []string
	for _, w := range workloads(f.quick) {
		names = append(names, w.Name)
	}
	results, err := bench.Archive(beside(f.page, ".json"), results, names)
	if err != nil {
		return err
	}
	m := report.Measured{Results: results, Curves: growth.Curves(results), Picture: beside(filepath.Base(f.page), ".svg"),
		Rounds: f.options.Rounds, Date: time.Now(), Machine: report.Machine(),
		Versions: report.Versions("github.com/asynkron/protoactor-go", "google.golang.org/grpc", "google.golang.org/protobuf")}
	if len(m.Curves) > 0 {
		var picture bytes.Buffer
		err = growth.Picture(&picture, m.Curves)
		if err == nil {
			err = os.WriteFile(beside(f.page, ".svg"), picture.Bytes(), 0o644)
		}
	}
	return errors.Join(err, m.Write(f.page))
}

// beside is the file of the same name with another extension.
func beside(page, extension string) string {
	return strings.TrimSuffix(page, filepath.Ext(page)) + extension
}

func measure(ctx context.Context, chosen []bench.Workload, f *flags) []bench.Result {
	var results []bench.Result
	for _, w := range chosen {
		if ctx.Err() == nil {
			results = append(results, bench.Run(ctx, apartFrom(w, f.quick), f.options))
		}
	}
	return results
}

func failures(results []bench.Result) error {
	var errs []error
	for _, r := range results {
		errs = append(errs, r.Err())
	}
	return errors.Join(errs...)
}

// progress prints what is done next, but not more often than a person reads.
func progress(log io.Writer) func(text string) {
	const interval = 2 * time.Second
	start := time.Now()
	said := start.Add(-interval)
	return func(text string) {
		if now := time.Now(); now.Sub(said) >= interval {
			said = now
			fmt.Fprintf(log, "%6.1fs  %s\n", now.Sub(start).Seconds(), text)
		}
	}
}
