// Package sim runs processes, their timers and the messages between them as one
// queue of events, so that a run of a seed is the same each time.
//
//	s := sim.New(r)
//	n1, n2 := s.Process("n1"), s.Process("n2")
//	n1.After(time.Second, func() { n1.Send(n2, func() { … }) }) // the function runs on n2
//	s.At(2*time.Second, n2.Pause)
//	s.Run(10 * time.Second)
//
// A message takes between one and twenty milliseconds, which its link and its
// number decide; two of one link arrive in order. It is lost if the link is cut
// when it is sent or arrives, or if the process was killed. What happens to a
// process that is paused happens after it has woken, in the same order.
//
// Time is that of the bubble of testing/synctest that Run is called in. All runs on
// the caller's goroutine; the package starts none.
//
// Read sim.go, then process.go.
package sim
