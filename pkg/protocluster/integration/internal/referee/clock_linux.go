package referee

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since the machine started, sleep included. All processes of
// the machine agree on it.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // since Linux 2.6.39 it does not fail
	}
	return time.Duration(t.Nano())
}
