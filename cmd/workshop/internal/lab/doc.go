// Package lab runs a cluster in containers, breaks it on purpose, and says what
// became of its promises: docker-compose.yml is what runs, this package is what one
// can do to it.
//
// It works through the programs docker and docker compose only, and never touches
// what does not have the label of its project. What it has to remember is below
// .workshop/lab: the state, the actions, and the report of the last check. Every
// error is one sentence that says what to do.
//
// A Lab is for one goroutine, except for Status, Do and Report, which may be called
// concurrently. Up starts one process, the control server, which Down ends; this
// package starts no goroutine that outlives a call, but for those of the control
// server, which Serve waits for. All methods block until ctx ends at the latest.
//
// Read lab.go, then up.go and fault.go; scenario.go, check.go and timeline.go are
// what a learner sees of it, and control.go is behind the buttons of the page.
package lab
