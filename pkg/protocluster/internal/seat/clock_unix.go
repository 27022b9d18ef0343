//go:build linux || darwin

package seat

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep compares the clock that goes on while the machine sleeps with the one
// by which Go measures time, which does not. The latter is read last, so that
// what happens between the two readings does not look like a sleep.
func asleep() time.Duration {
	var going, standing unix.Timespec
	if unix.ClockGettime(goesOn, &going) != nil || unix.ClockGettime(standsStill, &standing) != nil {
		return 0
	}
	return time.Duration(going.Nano() - standing.Nano())
}
