package dispatch

import _ "unsafe" // for go:linkname

// These functions of the runtime are among the few that it lets others link to and does
// not change: https://go.dev/issue/67401. Without them goroutines, jobs and what both
// have in a cache go from processor to processor all the time: asks of 64 callers are
// half as many.

// goyield is runtime.Gosched for those that are to go on here, not where there is room
// first.
//
//go:linkname goyield runtime.goyield
func goyield()

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// processor is the number of the processor that it is called on, less than GOMAXPROCS:
// where the caller is if nothing has moved it since.
func processor() int {
	n := procPin()
	procUnpin()
	return n
}
