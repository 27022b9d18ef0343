package seat

import "golang.org/x/sys/unix"

const (
	goesOn      = unix.CLOCK_MONOTONIC
	standsStill = unix.CLOCK_UPTIME_RAW
)
