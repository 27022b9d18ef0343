package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/pprof"
	"slices"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// The variables by which the process of a contender, and a server of its, are
// told the files for their CPU profiles.
const (
	contenderProfile = "BENCHMARKS_PROFILE"
	serverProfile    = "BENCHMARKS_SERVER_PROFILE"
)

// flags are what the command line says.
type flags struct {
	quick      bool
	list       bool
	workloads  *regexp.Regexp
	contenders *regexp.Regexp
	page       string
	options    bench.Options

	cpuProfile, serverProfile string // files
}

func parseFlags(args []string, out io.Writer) (*flags, error) {
	f := &flags{}
	set := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	set.SetOutput(out)
	workloads := set.String("run", "", "`regexp` of the workloads to run; all if empty")
	contenders := set.String("contenders", "", "`regexp` of the contenders to run; all if empty")
	set.BoolVar(&f.list, "list", false, "list the workloads and run none")
	set.BoolVar(&f.quick, "quick", false, "run small workloads in one round, to see that all is right and not how fast")
	set.IntVar(&f.options.Rounds, "rounds", 5, "how often each contender runs and counts")
	set.StringVar(&f.page, "write", "", "`file` of the page that gets the tables, with a picture and all samples beside it")
	set.StringVar(&f.cpuProfile, "cpuprofile", "", "`file` for a CPU profile of the (last) process of a contender; choose one for it")
	set.StringVar(&f.serverProfile, "serverprofile", "", "`file` for one of the contender's other process, if it has one")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("benchmarks: %q is no flag; choose workloads with -run", set.Args())
	}
	if f.quick {
		f.options.Rounds, f.options.Cold = 1, true
	}
	var errs [2]error
	f.workloads, errs[0] = regexp.Compile(*workloads)
	f.contenders, errs[1] = regexp.Compile(*contenders)
	return f, errors.Join(errs[:]...)
}

// choose returns those of all that the flags name.
func (f *flags) choose(all []bench.Workload) []bench.Workload {
	var chosen []bench.Workload
	for _, w := range all {
		w.Contenders = slices.DeleteFunc(slices.Clone(w.Contenders), func(c bench.Contender) bool {
			return !f.contenders.MatchString(c.Name)
		})
		if f.workloads.MatchString(w.Name) && len(w.Contenders) > 0 {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

// profile begins a CPU profile, if there is a name for it; stop ends it.
func profile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close() // the profile is for a person, who sees whether it is there
	}, nil
}
