// Package bench runs workloads: the same thing done by several contenders, one
// after the other, round after round, so that a machine that gets slower gets
// slower for all of them. What counts is the ratios within a round.
//
// workload.go is what there is to run, run.go how it is run, result.go what
// comes of it.
package bench
