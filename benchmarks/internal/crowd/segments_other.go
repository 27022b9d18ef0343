//go:build !linux

package crowd

import (
	"errors"
	"time"
)

// usage is measured on Linux only.
func usage() (segments uint64, used time.Duration, err error) {
	return 0, 0, errors.New("crowd: only Linux tells what a connection has sent; leave the workloads members/ out")
}

// allow leaves the number of open files as it is.
func allow(int, int) error { return nil }
