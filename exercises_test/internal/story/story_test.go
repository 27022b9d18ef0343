package story

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/chapters/todo"
)

// childVariable is set where this test binary runs itself, to see how it fails.
const childVariable = "STORY_TEST_CHILD"

func TestChild_Failing(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	Seeds(t, 3, "One activation at a time.", func(t *testing.T, s *Story, r *rand.Rand) {
		s.Note("n1", "activates user/%d", r.IntN(1000))
		<-time.After(20500 * time.Millisecond)
		s.Note("n2", "killed")
		s.Note("n1", "activates 123")
		if s.seed == 2 {
			s.Fatal(Failure{
				Misconception: "timeout-is-death", Happened: "user/123 was active on two members at the same time.",
				Got: "21.013s", Want: "no activation before 30.500s",
				Lesson: "A killed member may only be paused.", Read: "leases",
			})
		}
	})
}

// child runs a test of this binary in a process of its own.
func child(t *testing.T, name string, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+name+"$")
	cmd.Env = append(os.Environ(), append(env, childVariable+"=1")...)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func TestSeeds_AFailureTellsItsStory(t *testing.T) {
	got := child(t, "TestChild_Failing")
	for _, want := range []string{
		"=== ATTR  TestChild_Failing misconception timeout-is-death\n",
		"    One activation at a time.\n    user/123 was active on two members at the same time.\n    \n    got:  21.013s\n    want: no activation before 30.500s\n",
		"      time     n1",
		"      20.500s  activates 123",
		"    A killed member may only be paused.\n",
		"    replay:  WORKSHOP_SEED=2 go test -run TestChild_Failing ./exercises_test/internal/story\n",
		"README.md#leases\n    hint:    go tool workshop hint ",
		"--- FAIL: TestChild_Failing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the output lacks %q:\n%s", want, got)
		}
	}
	if again := child(t, "TestChild_Failing", "WORKSHOP_SEED=2"); told(again) != told(got) {
		t.Errorf("the same seed tells\n%s\nand then\n%s", told(got), told(again))
	}
	if again := child(t, "TestChild_Failing", "WORKSHOP_SEED=3", "WORKSHOP_TRACE=1"); !strings.Contains(again, "--- PASS") || !strings.Contains(again, "seed 3") {
		t.Errorf("seed 3 with a trace prints\n%s", again)
	}
	if again := child(t, "TestChild_Failing", "WORKSHOP_SEED=x"); !strings.Contains(again, `WORKSHOP_SEED="x" is no number`) {
		t.Errorf("a bad seed prints\n%s", again)
	}
}

// told is the part of an output that is the same each time.
func told(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "    ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestSeeds_ATraceDependsOnTheSeedOnly(t *testing.T) {
	trace := func(seed uint64, shuffled bool) (digest string) {
		synctest.Test(t, func(t *testing.T) {
			s := &Story{t: t, seed: seed, timed: true, begin: time.Now()}
			r := rand.New(rand.NewPCG(seed, 1))
			notes := []string{fmt.Sprint(r.Uint64()), "b", "c"}
			if shuffled {
				notes[0], notes[2] = notes[2], notes[0]
			}
			for _, n := range notes {
				s.Note("n1", "%s", n)
			}
			digest = s.digest()
		})
		return digest
	}
	if trace(1, false) != trace(1, true) {
		t.Error("the trace depends on the order of what happens at the same instant")
	}
	if trace(1, false) == trace(2, false) {
		t.Error("two seeds have the same trace")
	}
}

func TestPage_HasAtMost25Lines(t *testing.T) {
	s := &Story{t: t, place: placeOf("/w/exercises_test/chapter4/06_failover"), claim: strings.Repeat("A claim. ", 30), timed: true, begin: time.Now()}
	for i := range 100 {
		s.Note(fmt.Sprint("n", i%3), "does something %d that is rather long to tell", i)
	}
	f := Failure{Happened: strings.Repeat("It happened. ", 20), Got: "a\nb", Want: 2, Lesson: strings.Repeat("Think. ", 40)}
	page := s.page(f)
	if lines := strings.Count(page, "\n"); lines > 25 {
		t.Errorf("the page has %d lines, want at most 25:\n%s", lines, page)
	}
	for _, want := range []string{"got:  a; b\n", "want: 2\n", "does something 99", " before", "./exercises_test/chapter4/06_failover\n", "read:    chapters/chapter4/06_failover/README.md\nhint:    go tool workshop hint 4.6\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	for i := range 10 {
		s.Note(fmt.Sprint("many", i), "x")
	}
	if page := s.page(f); strings.Count(page, "\n") > 25 || !strings.Contains(page, "many9: x") {
		t.Errorf("many members:\n%s", page)
	}
}

func TestPage_StepsWithoutTime(t *testing.T) {
	s := &Story{t: t, place: placeOf("/w/exercises_test/chapter4/01_kinds"), claim: "A claim.", begin: time.Now()}
	_ = s.Did(`Register("user")`, nil)
	_ = s.Did(`Register("")`, errors.New("no name"))
	if page := s.page(Failure{Happened: "It."}); !strings.Contains(page, "  1  Register(\"user\")\n  2  Register(\"\"): no name\n") {
		t.Errorf("the page lacks its steps:\n%s", page)
	}
}

func TestNeed_ToldAStubFromAnError(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		s := Begin(t, "A claim.")
		f := Failure{Misconception: "wrong", Happened: "It was refused."}
		if stub := os.Getenv("STUB"); stub != "" {
			s.Need(todo.Error(stub), f)
		}
		s.Need(nil, f)
		s.Need(errors.New("because"), f)
		return
	}
	if got := child(t, t.Name(), "STUB=internal.story"); !strings.Contains(got, "not written yet: chapters/") || strings.Contains(got, "misconception") {
		t.Errorf("a stub is told as\n%s", got)
	}
	if got := child(t, t.Name(), "STUB=4.3"); !strings.Contains(got, "This needs exercise 4.3, which is not written yet.") {
		t.Errorf("the stub of another exercise is told as\n%s", got)
	}
	if got := child(t, t.Name()); !strings.Contains(got, "misconception wrong\n") || !strings.Contains(got, "got:  because\n    want: no error\n") {
		t.Errorf("an error is told as\n%s", got)
	}
}

func TestPlaceOf(t *testing.T) {
	got := placeOf("/home/x/exercises_test/chapter4/10_state")
	want := place{exercise: "4.10", chapter: "chapters/chapter4/10_state", tests: "./exercises_test/chapter4/10_state"}
	if got != want {
		t.Errorf("placeOf = %+v, want %+v", got, want)
	}
}
