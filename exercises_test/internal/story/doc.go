// Package story lets a test of an exercise fail like a story: what should hold,
// what happened, who did what when, how to replay it, and where to read.
//
//	func TestRegister_TheFirstStays(t *testing.T) {
//		s := story.Begin(t, "A kind that is registered twice keeps what came first.")
//		r := kinds.New()
//		s.Need(s.Did("Register(user)", r.Register(first)), …)
//		…
//		s.Fatal(story.Failure{Misconception: "last-one-wins", Happened: …, Got: …, Want: …, Lesson: …, Read: "twice"})
//	}
//
// A failure has at most 25 lines. The name of its misconception is the folder of
// a wrong solution that fails in the same way; what a stub returns is nobody's
// misconception, and Need tells it as such. Begin is for code without time;
// Bubble runs the test in a bubble of testing/synctest, and Seeds does that once
// for each of many seeds, ending with the first that fails.
//
// The environment says more: WORKSHOP_SEED runs one seed only, WORKSHOP_SEEDS
// sets how many there are, WORKSHOP_TRACE prints each timeline in full.
//
// What Note was told is the trace of a test. Its digest is an attribute, "trace",
// by which two runs are compared: the same seed has to give the same one. Notes of
// the same instant are compared without their order.
//
// Note and Did may be called concurrently; Need, Fatal and Settle end the test and are
// for its own goroutine. The package starts no goroutine. Read story.go, then seeds.go,
// settle.go, timeline.go and page.go.
package story
