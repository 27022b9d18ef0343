package plain

import (
	"fmt"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// advice is what to do about a panic whose text begins so.
var advice = []struct{ text, advice string }{
	{"assignment to entry in nil map", "make the map before anything is put into it, in New for example"},
	{"runtime error: invalid memory address or nil pointer", "a pointer, interface, map or function is nil there: what was never set?"},
	{"runtime error: index out of range", "check the length before you index"},
	{"runtime error: slice bounds out of range", "check the length before you slice"},
	{"sync: negative WaitGroup counter", "each Done needs its own Add before"},
	{"close of closed channel", "close a channel in one place only, or with sync.Once"},
	{"close of nil channel", "make the channel before"},
	{"send on closed channel", "who closes a channel must know that nobody sends to it any more"},
	{"interface conversion", "use the form v, ok := x.(T), and handle false"},
}

// ends are what a dying test binary prints, by how its line begins. The first
// that fits counts.
var ends = []struct {
	text     string
	kind     Kind
	sentence string
}{
	{"panic: deadlock: main bubble goroutine has exited", Leak, "Something that your code started still runs, or waits, " +
		"after the test has ended: whoever writes go also ends it, with a context or a channel, and waits for that."},
	{"panic: deadlock", Deadlock, allWait},
	{"fatal error: all goroutines are asleep", Deadlock, allWait},
	{"fatal error: concurrent map", Race, "Two goroutines use the same map at the same time: " +
		"hold one mutex in every method that reads or writes it."},
	{"fatal error: sync: unlock of unlocked", Panic, notLocked},
	{"fatal error: sync: Unlock of unlocked", Panic, notLocked},
	{"fatal error: sync: RUnlock of unlocked", Panic, notLocked},
	{"WARNING: DATA RACE", Race, "Two goroutines use the same memory at the same time, and one of them writes: " +
		"hold the same mutex in both places."},
	{"runtime: goroutine stack exceeds", Panic, noEnd},
	{"fatal error: stack overflow", Panic, noEnd},
}

const (
	allWait = "Everything waits, and nothing is left that could end the wait: " +
		"look for a lock that is never unlocked, or a channel that nobody sends to or closes."
	notLocked = "A mutex is unlocked that is not locked: write defer mu.Unlock() right after mu.Lock(), and nowhere else."
	noEnd     = "A function calls itself without end: what ends the recursion?"
)

// crash explains how a test binary died, from what it printed; nil if it did
// not.
func crash(r *suite.Result, lines []string) *Verdict {
	stack := frames(r.Exercise, lines)
	for _, line := range lines {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "panic: test timed out") {
			return hang(stack)
		}
		for _, end := range ends {
			if strings.HasPrefix(text, end.text) {
				return &Verdict{Kind: end.kind, Where: stack.where(), Sentence: end.sentence}
			}
		}
		if what, ok := strings.CutPrefix(text, "panic: "); ok {
			return panicked(what, stack)
		}
	}
	return nil
}

func panicked(text string, stack stack) *Verdict {
	text = strings.TrimSuffix(strings.TrimSuffix(text, " [recovered, repanicked]"), " [recovered]")
	todo := "return an error instead; a library does not panic"
	for _, a := range advice {
		if strings.HasPrefix(text, a.text) {
			todo = a.advice
		}
	}
	sentence := fmt.Sprintf("Your code panicked: %s. %s%s.", text, strings.ToUpper(todo[:1]), todo[1:])
	return &Verdict{Kind: Panic, Where: stack.where(), Sentence: sentence}
}

// hang explains what the learner's goroutines did when the time was up.
func hang(stack stack) *Verdict {
	v := &Verdict{Kind: Hang, Where: stack.where(), Sentence: "The tests did not come to an end in time: " +
		"look for a loop that never ends, or a wait for what nobody does."}
	if len(stack) == 0 {
		return v
	}
	if stack.deep() {
		return &Verdict{Kind: Panic, Where: stack.where(), Sentence: noEnd}
	}
	switch state := stack[0].state; {
	case strings.Contains(state, "Mutex"), strings.Contains(state, "semacquire"):
		v.Sentence = "The tests did not come to an end, because your code waits for a lock that is never given back: " +
			"write defer mu.Unlock() right after mu.Lock(), and hold no lock while you wait for something else."
	case strings.HasPrefix(state, "chan"), strings.HasPrefix(state, "select"):
		v.Sentence = "The tests did not come to an end, because your code waits on a channel that nobody sends to or closes: " +
			"select on ctx.Done() as well."
	case strings.HasPrefix(state, "running"), strings.HasPrefix(state, "runnable"):
		v.Sentence = "The tests did not come to an end, because a loop of yours does not: what makes its condition false?"
	}
	return v
}
