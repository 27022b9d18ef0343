package story

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/chapters/todo"
)

// Story is one run of a test of an exercise.
type Story struct {
	t       testing.TB
	place   place
	claim   string
	seed    uint64 // 0: none
	timed   bool   // it runs in a bubble, whose time means something
	untimed bool   // its trace has neither times nor order
	begin   time.Time

	mu     sync.Mutex
	events []event // guarded by mu
}

// Failure is what happened instead of what the test claims.
type Failure struct {
	Misconception string // the folder of a wrong solution that fails so; "" if any code may
	Happened      string // one sentence, with values
	Got, Want     any    // left out if both are nil
	Lesson        string // what to think about, in a sentence or two
	Read          string // a heading of the exercise's README, as its anchor; "" for the top
}

// Begin starts the story of a test without time. The claim is what should hold,
// as one sentence in the domain's words.
func Begin(t *testing.T, claim string) *Story {
	t.Helper()
	s := start(t, claim, 0)
	t.Cleanup(func() { t.Attr("trace", s.digest()) })
	return s
}

func start(t *testing.T, claim string, seed uint64) *Story {
	t.Helper()
	s := &Story{t: t, place: here(t), claim: claim, seed: seed, begin: time.Now()}
	t.Attr("exercise", s.place.exercise)
	return s
}

// Note adds to the timeline that who did something, now. An empty who is the
// test itself.
func (s *Story) Note(who, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event{at: time.Since(s.begin), who: who, what: fmt.Sprintf(format, args...)})
}

// Did notes that the test called something and which error that returned, and
// returns the error.
func (s *Story) Did(call string, err error) error {
	switch {
	case err == nil:
		s.Note("", "%s", call)
	case todo.Is(err):
		s.Note("", "%s: not written yet", call)
	default:
		s.Note("", "%s: %v", call, err)
	}
	return err
}

// Need ends the test with f unless err is nil. If err comes from a stub, there is
// no misconception: it says where to begin.
func (s *Story) Need(err error, f Failure) {
	s.t.Helper()
	switch {
	case err == nil:
		return
	case todo.Is(err):
		f = Failure{Happened: s.unwritten(err), Read: f.Read}
	case f.Got == nil && f.Want == nil:
		f.Got, f.Want = err, "no error"
	}
	s.Fatal(f)
}

// unwritten says whose stub returned err.
func (s *Story) unwritten(err error) string {
	if stub, ok := errors.AsType[*todo.UnwrittenError](err); ok && stub.Exercise != s.place.exercise {
		return fmt.Sprintf("This needs exercise %s, which is not written yet.", stub.Exercise)
	}
	return "That is not written yet: " + s.place.chapter + " is yours."
}

// Untimed leaves times and order out of the trace, for tests of a whole cluster:
// it backs off at random, and what it does is the same while when is not.
func (s *Story) Untimed() { s.untimed = true }

// Fatal ends the test with f.
func (s *Story) Fatal(f Failure) {
	s.t.Helper()
	t, _ := s.t.(*testing.T)
	if t != nil && f.Misconception != "" {
		t.Attr("misconception", f.Misconception)
	}
	fmt.Fprint(s.t.Output(), s.page(f))
	if t != nil {
		s.keep(t)
	}
	s.t.FailNow()
}

// keep leaves the whole timeline where go test -artifacts collects it.
func (s *Story) keep(t *testing.T) {
	file := filepath.Join(t.ArtifactDir(), "trace.txt")
	if err := os.WriteFile(file, []byte(s.claim+"\n\n"+strings.Join(s.timeline(len(s.all())), "\n")+"\n"), 0o600); err != nil {
		t.Logf("the trace is not kept: %v", err)
	}
}

// place is where an exercise is: a test runs in its own folder.
type place struct {
	exercise string // "4.6"
	chapter  string // the learner's folder
	tests    string // the folder of the tests
}

func here(t testing.TB) place {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return placeOf(filepath.ToSlash(dir))
}

func placeOf(dir string) place {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 {
		return place{}
	}
	chapter, exercise := parts[len(parts)-2], parts[len(parts)-1]
	number, _, _ := strings.Cut(exercise, "_")
	return place{
		exercise: strings.TrimPrefix(chapter, "chapter") + "." + strings.TrimPrefix(number, "0"),
		chapter:  "chapters/" + chapter + "/" + exercise,
		tests:    "./exercises_test/" + chapter + "/" + exercise,
	}
}
