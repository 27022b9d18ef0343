// Package crowd has the workloads of many members, or many grains, in one
// process: what they cost while nobody asks anything.
//
// members.go and grains.go say what is measured, each time in a process of its
// own that has held nothing before; protocluster.go and protoactor.go make the
// members, which talk over loopback, and segments_linux.go counts what they say.
package crowd
