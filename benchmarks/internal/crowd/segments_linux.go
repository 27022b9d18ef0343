package crowd

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage counts the TCP segments with data that the open connections of this
// process have sent, and the processor time that it has used.
func usage() (segments uint64, used time.Duration, err error) {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, 0, err
	}
	for _, f := range files {
		fd, err := strconv.Atoi(f.Name())
		if err != nil {
			continue
		}
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil { // else it is no TCP socket, or is closed by now
			segments += uint64(info.Data_segs_out)
		}
	}
	var r unix.Rusage
	err = unix.Getrusage(unix.RUSAGE_SELF, &r)
	return segments, time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
}

// allow lets this process have as many open files as it takes for both ends of
// the connections that each member has to each other.
func allow(members, connections int) error {
	const others = 200
	want := uint64(members*(members-1)*connections*2 + others)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= want {
		return nil
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: max(limit.Max, want)}); err != nil {
		return fmt.Errorf("crowd: connections need %d open files, and %d are allowed; raise that with ulimit -n: %w", want, limit.Max, err)
	}
	return nil
}
