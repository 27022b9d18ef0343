package bench

import "context"

// The contenders that several packages know. Protocluster comes first in a
// workload; Eventual is this library without leases.
const (
	Protocluster = "protocluster"
	ProtoActor   = "protoactor-go"
	Eventual     = "disthash"
)

// Workload is one thing to do, and those who do it.
type Workload struct {
	Name       string // of segments with slashes, such as "local/tell/1to1"
	Title      string // as the table has it, such as "tell 1→1"
	Metrics    []Metric
	Contenders []Contender // the first is the one in question
	Growth     Growth
	// Slices is how many rounds there are for each of the usual, which is as
	// much shorter; 0 means one. Where ratios are close to one, many short rounds
	// tell more than a few long ones: the machine changes less within one. What a
	// process has in which place of memory makes some per cent, too, so that there are
	// several, one after the other.
	Slices int
}

// Growth is what a workload has more of than another that does the same.
type Growth struct {
	Of   string // such as "members"; "" if it is not one of several
	Size int
}

// Metric is one of the numbers that a run yields.
type Metric struct {
	Name       string // such as "allocations"; "" if the workload has but one
	Unit       string // such as "/s", "ns", "B", or "" for a count
	LessBetter bool
	Goals      []Goal
}

// Goal is how the first contender shall do: at least, or if less is better at
// most, Factor times as much as another.
type Goal struct {
	Than   string // a contender, or "" for the number Factor itself
	Factor float64
}

// Contender does the workload in its way.
type Contender struct {
	Name string
	// Open prepares what the runs need, for a first run and any number of
	// further ones.
	Open func(ctx context.Context) (*Instance, error)
}

// Instance is a contender that is ready to run. Its functions are called one at
// a time.
type Instance struct {
	// Run does the workload once and returns a value for each metric. A run
	// that loses or reorders a message returns an error.
	Run func(ctx context.Context) (Sample, error)
	// Close ends what Open began; nil if there is nothing to end.
	Close func() error
}

// Sample is what one run yields: a value for each metric, in their order.
type Sample []float64

// Pick returns a size of a workload: the small one if it shall be quick.
func Pick(quick bool, small, full int) int {
	if quick {
		return small
	}
	return full
}
