// Package lab is nothing but tests, of the failover lab: real containers, driven by
// go tool workshop lab as a learner would. They take the build tag integration, a
// Docker that runs and the images that make images makes:
//
//	make test-lab
//
// The lab of these tests has a name and a port of its own, so one that runs is not
// in their way. They last four minutes at most, and remove what they made.
package lab
