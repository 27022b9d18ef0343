package testkit

import (
	"testing/synctest"
	"time"
)

// Advance lets d pass in the bubble and returns when everything that then
// happens has happened, that is when every other goroutine waits. It panics
// outside of a bubble.
func Advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // this is the one place
	synctest.Wait()
}
