package automanaged

import (
	"bytes"
	"log"
	"log/slog"
	"sync/atomic"
)

// journal takes memberlist's log lines to slog: what memberlist calls a
// warning or an error is a warning, the rest is for debugging. Once closed it
// drops them: memberlist has timers that end after it was shut down.
type journal struct {
	log    *slog.Logger
	closed atomic.Bool
}

func (j *journal) logger() *log.Logger { return log.New(j, "", 0) }

// Write implements io.Writer for lines such as "[WARN] memberlist: text".
func (j *journal) Write(line []byte) (int, error) {
	if j.closed.Load() {
		return len(line), nil
	}
	text, write := bytes.TrimSpace(line), j.log.Debug
	if level, rest, ok := bytes.Cut(text, []byte("] ")); ok && level[0] == '[' {
		text = bytes.TrimPrefix(rest, []byte("memberlist: "))
		switch string(level[1:]) {
		case "WARN", "ERR", "ERROR":
			write = j.log.Warn
		}
	}
	write("memberlist: " + string(text))
	return len(line), nil
}

func (j *journal) close() { j.closed.Store(true) }
