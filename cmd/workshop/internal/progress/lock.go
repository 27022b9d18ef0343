package progress

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	lockPatience = 2 * time.Second
	lockPoll     = 20 * time.Millisecond
	lockStale    = 10 * time.Second // its owner has crashed: no update takes so long
)

// acquire takes a lock that all processes respect, by making a file that may not
// be there.
func acquire(file string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for deadline := time.Now().Add(lockPatience); ; <-tick.C {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		switch {
		case err == nil:
			_ = f.Close()
			return func() { _ = os.Remove(file) }, nil
		case !errors.Is(err, os.ErrExist) && !errors.Is(err, os.ErrPermission): // Windows says that of a file being removed
			return nil, err
		}
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > lockStale {
			_ = os.Remove(file)
			continue
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("another go tool workshop holds %s; if none runs, delete that file", file)
		}
	}
}
