package story

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
)

// Settle returns when every other goroutine of the bubble waits, and ends the
// test with f if one of them waits for a lock. synctest.Wait would wait for ever
// then, and the bubble's clock stands still: who holds the lock waits as well,
// for something that only time or the test brings.
//
// The test must let go of what its own part of the code waits for, in a
// t.Cleanup, so that the bubble can end.
func (s *Story) Settle(f Failure) {
	s.t.Helper()
	for {
		runtime.Gosched() // those that can run may well be done after one turn
		switch settled, locked := look(snapshot()); {
		case !settled:
		case locked:
			s.Fatal(f)
		default:
			return
		}
	}
}

// snapshot is what the runtime says of all goroutines, the calling one first. The
// world stands still meanwhile.
func snapshot() string {
	for buf := make([]byte, 1<<16); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return string(bytes.TrimSpace(buf[:n]))
		}
	}
}

// look reads a snapshot: whether every other goroutine of the caller's bubble
// waits, and whether one of them waits for a lock. A goroutine is introduced as
//
//	goroutine 9 [sync.Mutex.Lock, synctest bubble 1]:
//
// While it helps the garbage collector it has no bubble, so nobody without one
// may be at work either.
func look(snapshot string) (settled, locked bool) {
	goroutines := strings.Split(snapshot, "\n\n")
	_, bubble := introduced(goroutines[0])
	settled = true
	for _, g := range goroutines[1:] {
		switch state, where := introduced(g); {
		case where == bubble && begins(state, "sync.Mutex.", "sync.RWMutex."):
			locked = true
		case where == bubble && !strings.HasSuffix(state, "(durable)"):
			settled = false
		case where == "" && !begins(state, "chan ", "select", "sync.", "sleep", "IO wait", "syscall", "finalizer wait", "cleanup wait"):
			settled = false
		}
	}
	return settled, locked
}

func begins(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}

// introduced returns what a goroutine does and its bubble.
func introduced(goroutine string) (state, bubble string) {
	head, _, _ := strings.Cut(goroutine, "]:")
	_, head, _ = strings.Cut(head, "[")
	for field := range strings.SplitSeq(head, ", ") {
		switch {
		case strings.HasPrefix(field, "synctest bubble "):
			bubble = field
		case state == "":
			state = field
		}
	}
	return state, bubble
}
