package suite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

// ErrFull says that go could not compile or link, because a disk is full.
var ErrFull = errors.New("the tests could not run, because the disk is full: make room and try again (go clean -cache helps, " +
	"and costs you a minute); your code and your progress are as they were")

// room is about what a test binary takes.
const room = 16 << 20

// full reports whether what go test wrote, or did not get to write, is due to a
// full disk. Go itself says so only sometimes: without room in its cache it finds
// packages missing that are there.
func full(ctx context.Context, results []*Result, written ...[]byte) bool {
	for _, text := range written {
		if bytes.Contains(text, []byte("no space left on device")) || bytes.Contains(text, []byte("not enough space on the disk")) {
			return true
		}
	}
	if !slices.ContainsFunc(results, func(r *Result) bool { return r.Ended == Broken || len(r.Tests) == 0 }) {
		return false
	}
	dirs := []string{os.TempDir()}
	if out, err := exec.CommandContext(ctx, "go", "env", "GOCACHE", "GOTMPDIR").Output(); err == nil {
		dirs = append(dirs, strings.Fields(string(out))...)
	}
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, full := errors.AsType[*durable.FullError](durable.Room(dir, room))
		return full
	})
}
