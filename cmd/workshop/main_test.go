package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/stub"
)

// learner is somebody at a terminal.
type learner struct {
	t    *testing.T
	root string
}

// workshop makes a workshop of two exercises, as author new begins them, and
// goes there.
func workshop(t *testing.T) *learner {
	t.Helper()
	draft := []fixture.Exercise{
		{ID: "9.1", Dir: "01_one", Title: "One", Objective: "The first.", Minutes: 10, Level: "core", Draft: true},
		{ID: "9.2", Dir: "02_two", Title: "Two", Objective: "The second.", Minutes: 20, Level: "stretch", Draft: true},
	}
	// All are in one place, one after another, so that what go has compiled for one is
	// there for the next.
	l := &learner{t: t, root: filepath.Join(os.TempDir(), fmt.Sprint("workshop-test-", os.Getpid()))}
	t.Cleanup(func() { _ = os.RemoveAll(l.root) })
	fixture.WorkshopAt(t, l.root, draft, nil)
	t.Chdir(l.root)
	withoutVet(t)
	l.says(0, "", "author", "new", "9.1").has("chapters/chapter9/01_one/README.md", "exercises_test/testdata/wrong")
	l.says(0, "", "author", "new", "9.2")
	for i := range draft {
		draft[i].Draft = false
		draft[i].Tests = []string{"TestDo_RefusesLessThanNothing"}
		draft[i].Wrong = []course.Wrong{{Misconception: "what-somebody-believes", Test: "TestDo_RefusesLessThanNothing"}}
	}
	fixture.Manifest(t, l.root, draft)
	l.says(0, "", "author", "stubs").has("9.1 One: stubs and tests.sum written")
	return l
}

// withoutVet has go test leave vet out in short runs, where it would look at the whole
// standard library for facts, once with the race detector and once without.
func withoutVet(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -vet=off")
	}
}

// said is what the program printed.
type said struct {
	t    *testing.T
	what string
	text string
}

// says runs the program with that input, and wants that exit status.
func (l *learner) says(status int, input string, args ...string) said {
	l.t.Helper()
	var out bytes.Buffer
	got := run(l.t.Context(), args, strings.NewReader(input), &out, &out)
	what := "workshop " + strings.Join(args, " ")
	if got != status {
		l.t.Errorf("%s ended with status %d, want %d:\n%s", what, got, status, out.String())
	}
	return said{l.t, what, out.String()}
}

func (s said) has(parts ...string) said {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(s.text, part) {
			s.t.Errorf("%s lacks %q:\n%s", s.what, part, s.text)
		}
	}
	return s
}

func (s said) lacks(parts ...string) said {
	s.t.Helper()
	for _, part := range parts {
		if strings.Contains(s.text, part) {
			s.t.Errorf("%s says %q:\n%s", s.what, part, s.text)
		}
	}
	return s
}

const (
	one = "chapters/chapter9/01_one/one.go"
	two = "chapters/chapter9/02_two/two.go"
)

// solve writes the solution of 9.1 as a learner would.
func (l *learner) solve() {
	l.t.Helper()
	text, err := stub.Plain([]byte(fixture.Read(l.t, l.root, "solutions/chapter9/01_one/one.go")))
	if err != nil {
		l.t.Fatal(err)
	}
	fixture.Write(l.t, l.root, one, string(text))
}

func TestLearner_FromStartToGreen(t *testing.T) {
	l := workshop(t)
	l.says(0, "").has("0 of 2 exercises are done", "You are at 9.1 One: The first. 10 minutes.", "write  "+one)
	l.says(0, "", "start").has("Welcome", "go1.", "is there", "ports can be opened")
	l.says(1, "", "test").has("9.1 One: 0 of 1 tests pass", "red   Do: refuses less than nothing", "not written yet", "read:").lacks("You probably believe")
	l.says(0, "", "hint").has("hint 1 of 3", "The first step")
	l.says(0, "", "hint", "one").has("hint 2 of 3")
	l.says(0, "", "hint", "-level=1").has("hint 1 of 3")
	l.says(0, "", "hint", "9.1").has("hint 3 of 3", "That was the last")
	fixture.Write(t, l.root, one, fixture.Read(t, l.root, "exercises_test/testdata/wrong/chapter9/01_one/what-somebody-believes/one.go"))
	l.says(1, "", "test", "9.1").has("0 of 1 tests pass", "Do took less than nothing.", "You probably believe that nobody asks", "One question: what is in the message")
	l.says(0, "", "list").has("> begun    9.1   One", "9.2   Two         20 min  stretch")
	l.solve()
	l.says(0, "", "test").has("9.1 One: all 1 tests pass", "What this does not guarantee", "Two lines, and the seed", "You are at 9.2 Two")
	l.says(0, "", "list").has("done     9.1", ">          9.2")
	l.says(0, "", "next").has("1 of 2 exercises are done, 10 of 30 minutes")
	fixture.Write(t, l.root, one, fixture.Read(t, l.root, one)+"\n// More.\n")
	l.says(0, "", "list").has("> changed  9.1")
	l.says(0, "", "test", "-race=false", "-seeds=3").has("all 1 tests pass", "How others write it: go tool workshop diff 9.1")
	text, err := stub.Plain([]byte(fixture.Read(t, l.root, "solutions/chapter9/02_two/two.go")))
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, l.root, two, string(text))
	l.says(0, "", "test").has("all 1 tests pass")
	l.says(0, "", "next").has("That is all there is.", "go run -tags=chapter4 ./cmd/member -lookup chapter4")
	l.says(0, "", "test", "9.1").has("That is all there is.").lacks("You are at")
}

func TestLearner_MistakesAreToldPlainly(t *testing.T) {
	l := workshop(t)
	l.says(2, "", "tset").has("do you mean test?")
	l.says(2, "", "explain").has("help lists them")
	l.says(2, "", "next", "9.2").has("next takes no arguments")
	l.says(2, "", "watch", "-once").has("watch has no flags")
	l.says(2, "", "test", "-run=Nope").has(`no test of 9.1 matches "Nope"`, "TestDo_RefusesLessThanNothing")
	l.says(2, "", "test", "-run=[").has("-run: error parsing")
	l.says(2, "", "test", "-seeds=-3").has("not negative")
	l.says(0, "", "test", "-h").has("The flags of test", "-race")
	l.says(0, "", "help").has("hint [exercise]", "replay SEED [exercise]")
	l.says(2, "", "test", "9.7").has(`there is no exercise "9.7"`, "9.1, 9.2")
	l.says(2, "", "test", "9.1", "9.2").has("test takes one exercise")
	l.says(2, "", "test", "-sedes=3").has("sedes", "its flags are")
	l.says(2, "", "hint", "-level=9").has("level 1 to 3")
	l.says(2, "", "replay").has("replay takes a seed")
	l.says(2, "", "replay", "x").has("is no seed")
	l.says(2, "", "author").has("author new", "author check")
	l.says(1, "", "author", "new", "9.1").has("is written already")
	l.says(0, "", "lab").has("lab up", "lab predict SCENARIO", "remove all that is of the lab", "11_lab")
	l.says(2, "", "lab", "explode").has(`there is no lab command "explode"`)
	l.says(2, "", "lab", "up", "-code", "theirs").has(`-code "theirs" is unknown; use library, solutions or mine`)
	l.says(2, "", "lab", "play", "flood").has(`there is no scenario "flood"`, "kill, zombie, consul, split, rolling")
	l.says(2, "", "lab", "predict").has("takes a scenario")
	l.says(1, "", "lab", "check").has("the lab does not run; go tool workshop lab up starts it")
	t.Chdir(t.TempDir())
	l.says(1, "", "next").has("not inside the workshop")
}

func TestLearner_UglyEndings(t *testing.T) {
	l := workshop(t)
	fixture.Write(t, l.root, one, "package one\n\nfunc Do(n int) error {\n\treturn nothing\n}\n")
	l.says(1, "", "test").has("one.go does not compile: look at line 4", "undefined: nothing", "The other exercises are not affected.")
	if err := os.Remove(filepath.Join(l.root, filepath.FromSlash(one))); err != nil {
		t.Fatal(err)
	}
	l.says(1, "", "test").has("has no Go file any more: go tool workshop reset 9.1")
	l.says(0, "", "reset", "-yes", "9.1").has("as it was in the beginning").lacks("What you had")
	l.says(1, "", "test").has("not written yet")
}

func TestLearner_ADataRaceIsNotGreen(t *testing.T) {
	l := workshop(t)
	if !detects(t.Context()) {
		t.Skip("no C compiler, so no race detector")
	}
	fixture.Write(t, l.root, "exercises_test/chapter9/01_one/one_test.go", `package one_test

import (
	"sync"
	"testing"

	one "github.com/protocluster/workshop/chapters/chapter9/01_one"
)

func TestDo_RefusesLessThanNothing(*testing.T) {
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { _ = one.Do(1) })
	}
	callers.Wait()
}
`)
	l.says(0, "", "author", "stubs", "9.1") // seals the tests
	fixture.Write(t, l.root, one, "package one\n\nvar calls int\n\nfunc Do(int) error {\n\tcalls++\n\treturn nil\n}\n")
	l.says(1, "", "test").has("Two goroutines use the same memory", "one.go:6 in Do")
	l.says(0, "", "report").has("0 of 2 are solved", "Two goroutines use the same memory")
	l.says(0, "", "list").lacks("done")
}

func TestLearner_EditedTestsDoNotCount(t *testing.T) {
	l := workshop(t)
	const file = "exercises_test/chapter9/01_one/one_test.go"
	fixture.Write(t, l.root, file, "package one_test\n\nimport \"testing\"\n\nfunc TestDo_RefusesLessThanNothing(*testing.T) {}\n")
	l.says(0, "", "test").has("one_test.go was edited", "a green result", "git checkout")
	l.says(0, "", "list").lacks("done")
	fixture.Write(t, l.root, "exercises_test/chapter9/01_one/more_test.go", "package one_test\n")
	l.says(0, "", "report").has("0 of 2 are solved", "the tests were changed")
}

func TestDiff_AsksBeforeItShowsTheSolution(t *testing.T) {
	l := workshop(t)
	l.says(0, "", "diff").has("[y/N] no").lacks("less than nothing")
	l.says(0, "n\n", "diff").has("Nothing was done.").lacks("+++")
	l.says(0, "y\n", "diff").has("--- "+one, "+++ the solution", "-\treturn todo.Error", "+\t\treturn errors.New").lacks("workshop:solution")
	l.says(0, "", "diff", "-side", "-yes", "9.1").has("one.go, yours", "*")
	l.says(0, "", "diff", "-stub").has("There is no difference.")
	l.solve()
	l.says(0, "", "test")
	l.says(0, "", "diff", "9.1").has("There is no difference.").lacks("[y/N]")
}

func TestReset_KeepsACopy(t *testing.T) {
	l := workshop(t)
	l.says(0, "", "reset").has("as it was in the beginning").lacks("[y/N]")
	l.solve()
	mine := fixture.Read(t, l.root, one)
	l.says(0, "n\n", "reset").has("Nothing was done.")
	l.says(0, "y\n", "reset").has("What you had is in .workshop/copies/9.1-")
	copies, err := filepath.Glob(filepath.Join(l.root, progress.Dir, "copies", "9.1-*", "one.go.txt"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies = %v, %v, want one", copies, err)
	}
	if text, err := os.ReadFile(copies[0]); err != nil || string(text) != mine {
		t.Errorf("the copy says %q, %v", text, err)
	}
	l.says(1, "", "test").has("not written yet")
}

func TestReplay_TellsWhatHappens(t *testing.T) {
	l := workshop(t)
	const seeded = `package one_test

import (
	"math/rand/v2"
	"testing"

	"github.com/protocluster/workshop/exercises_test/internal/story"
)

func TestDo_RefusesLessThanNothing(t *testing.T) {
	story.Seeds(t, 5, "A die has six sides.", func(_ *testing.T, s *story.Story, r *rand.Rand) { s.Note("die", "shows %d", 1+r.IntN(6)) })
}
`
	fixture.Write(t, l.root, "exercises_test/chapter9/01_one/one_test.go", seeded)
	first := l.says(0, "", "replay", "42").has("A die has six sides.", "seed 42", "shows ")
	if again := l.says(0, "", "replay", "42", "9.1"); again.text != first.text {
		t.Errorf("the same seed tells\n%s\nand then\n%s", first.text, again.text)
	}
	l.says(0, "", "list").lacks("done")
}

func TestPredict_ScoresTheJudgement(t *testing.T) {
	l := workshop(t)
	l.says(0, "often\n0\n", "predict").has(`"often" is no number`, "red", "you said   0 %", "Your judgement: 0.00")
	l.says(0, "100%\n", "predict", "9.1").has("Your judgement: 1.00", "The last time it was 0.00.")
	l.says(0, "", "predict").has("Your judgement: 0.25")
}

func TestReport_IsForGraders(t *testing.T) {
	l := workshop(t)
	l.solve()
	l.says(0, "", "report").has("One        solved     1/1", "Two        red        0/1", "1 of 2 are solved.")
	var got struct {
		Version   int
		Exercises []graded
	}
	if err := json.Unmarshal([]byte(l.says(0, "", "report", "-json").text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || len(got.Exercises) != 2 || !got.Exercises[0].Solved || got.Exercises[1].Solved || got.Exercises[0].Tests[0].Outcome != "pass" {
		t.Errorf("the report is %+v", got)
	}
	l.says(0, "", "list").has("done     9.1")
}

func TestProgress_WhatCannotBeReadIsFoundOutAgain(t *testing.T) {
	l := workshop(t)
	l.solve()
	l.says(0, "", "test")
	fixture.Write(t, l.root, progress.Dir+"/progress.json", "{")
	l.says(0, "", "list").has("could not be read", "go tool workshop report").lacks("done")
	l.says(0, "", "report")
	l.says(0, "", "list").has("done     9.1")
}

func TestProgress_IsNoReasonNotToLearn(t *testing.T) {
	l := workshop(t)
	l.solve()
	fixture.Write(t, l.root, progress.Dir+"/progress.json/in-the-way", "")
	l.says(1, "", "next").has("progress.json")
}

// lines are what a watch has printed so far, for a test that waits for more.
type lines struct {
	t   *testing.T
	in  *io.PipeReader
	all strings.Builder
}

func (w *lines) await(part string) {
	w.t.Helper()
	buffer := make([]byte, 4096)
	for !strings.Contains(w.all.String(), part) {
		n, err := w.in.Read(buffer)
		w.all.Write(buffer[:n])
		if err != nil {
			w.t.Fatalf("watch ended before it said %q:\n%s", part, w.all.String())
		}
	}
	w.all.Reset()
}

func TestWatch_RunsAtEachSave(t *testing.T) {
	l := workshop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	keys, typed := io.Pipe()
	out, printed := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"watch"}, keys, printed, printed)
		_ = printed.Close()
	}()
	w := &lines{t: t, in: out}
	w.await("h hint, r run, l list, q quit")
	l.solve()
	w.await("all 1 tests pass")
	w.await("n next")
	fmt.Fprintln(typed, "n")
	w.await("9.2 Two: 0 of 1 tests pass")
	w.await("q quit")
	fmt.Fprintln(typed, "h")
	w.await("hint 1 of 3")
	fixture.Write(t, l.root, one, "package one\n\nfunc Do(int) error { return nil }\n")
	w.await("9.1 One was green, and is red since your last change")
	w.await("q quit")
	fixture.Write(t, l.root, two, "package two\n\nfunc Do(int) error { return nil }\n")
	w.await("9.2 Two: 0 of 1 tests pass")
	w.await("q quit")
	fmt.Fprintln(typed, "x")
	w.await(`"x" is no key`)
	fmt.Fprintln(typed, "q")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if got := <-status; got != 0 {
		t.Errorf("watch ended with status %d, want 0", got)
	}
}

func TestWatch_ASaveEndsWhatRuns(t *testing.T) {
	l := workshop(t)
	a, err := newApp(strings.NewReader(""), io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := a.seen()
	if err != nil {
		t.Fatal(err)
	}
	err = a.untilSaved(t.Context(), seen, func(ctx context.Context) error {
		l.solve()
		<-ctx.Done() // a loop that never ends
		return ctx.Err()
	})
	if !errors.Is(err, errSaved) {
		t.Errorf("error = %v, want errSaved", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := a.untilSaved(stopped, seen, func(ctx context.Context) error { return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestVerify_FindsWhatIsNotProven(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles many small programs")
	}
	l := workshop(t)
	l.says(1, "", "author", "check", "9.1").has("FAIL  texts", "it has 1 wrong solution, want at least 3", "has 4 lines of code to write",
		"ok    stubs", "ok    solutions", "ok    wrong", "ok    order", "ok    alone", "ok    traces")
	fixture.Write(t, l.root, one, "package one\n\nfunc Do(int) error { return nil }\n")
	l.says(0, "", "verify", "-stubs", "-wrong").lacks("texts") // the learner's own code plays no part
	l.says(1, "", "verify", "-texts").has("01_one/one.go is not the stub of the solution")
}

func TestWords(t *testing.T) {
	for test, want := range map[string]string{
		"TestRegister_TheFirstStays":        "Register: the first stays",
		"TestApply_ALateEventRevivesNobody": "Apply: a late event revives nobody",
		"TestGet_PIDCacheIsAskedFirst":      "Get: PID cache is asked first",
		"TestLocate":                        "locate",
	} {
		if got := words(test); got != want {
			t.Errorf("words(%s) = %q, want %q", test, got, want)
		}
	}
}
