package seat

import "golang.org/x/sys/unix"

const (
	goesOn      = unix.CLOCK_BOOTTIME
	standsStill = unix.CLOCK_MONOTONIC
)
