package plain_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// row is an exercise whose code ends its tests in its own way.
type row struct {
	name  string
	code  string // of the learner's package p
	extra string // a second file there
	want  plain.Kind
	says  []string // parts of the sentence and of the places
}

const good = "func F() int { return 1 }\n"

func rows() []row {
	return []row{
		{name: "good", code: good},
		{name: "does not compile", code: "func F() int {\n\treturn x\n}\n", want: plain.Compile, says: []string{"p.go does not compile: look at line 4", "p.go:4: undefined: x"}},
		{name: "no Go at all", code: "func F( {\n", want: plain.Compile, says: []string{"p.go does not compile: look at line 3"}},
		{name: "imports what is not there", code: "import _ \"github.com/protocluster/workshop/nowhere\"\n\n" + good, want: plain.Compile, says: []string{"imports github.com/protocluster/workshop/nowhere, which is not there"}},
		{name: "renamed", code: "func G() int { return 1 }\n", want: plain.Signature, says: []string{"The tests call p.F, which your code does not have any more", "go tool workshop diff"}},
		{name: "other parameters", code: "func F(n int) int { return n }\n", want: plain.Signature, says: []string{"keep parameters and results", "not enough arguments"}},
		{name: "deleted", want: plain.Deleted, says: []string{"has no Go file any more: go tool workshop reset 9.7"}},
		{name: "an extra file", code: good, extra: "package main\n", want: plain.Stray, says: []string{"extra.go says package main, and all files of that folder are package p"}},
		{name: "a panic", code: "func F() int {\n\tvar m map[int]int\n\tm[1] = 1\n\treturn 1\n}\n", want: plain.Panic, says: []string{"assignment to entry in nil map. Make the map", "p.go:5 in F"}},
		{name: "an endless loop", code: "func F() int {\n\tfor n := 0; ; n++ {\n\t\tif n < 0 {\n\t\t\treturn 1\n\t\t}\n\t\tn = 0\n\t}\n}\n", want: plain.Hang, says: []string{"a loop of yours does not", "in F"}},
		{name: "a lock that is kept", code: "import \"sync\"\n\nvar mu sync.Mutex\n\nfunc F() int {\n\tmu.Lock()\n\tmu.Lock()\n\treturn 1\n}\n", want: plain.Hang, says: []string{"waits for a lock", "p.go:9 in F"}},
		{name: "a bubble in which all wait", code: "func F() int {\n\t<-make(chan int)\n\treturn 1\n}\n", want: plain.Deadlock, says: []string{"Everything waits"}},
		{name: "a goroutine that goes on", code: "func F() int {\n\tgo func() { <-make(chan int) }()\n\treturn 1\n}\n", want: plain.Leak, says: []string{"still runs, or waits, after the test", "p.go:4 in F"}},
		{name: "a map of two goroutines", code: "import \"sync\"\n\nfunc F() int {\n\tm := map[int]int{}\n\tvar w sync.WaitGroup\n\tfor range 2 {\n\t\tw.Go(func() {\n\t\t\tfor n := 0; ; n++ {\n\t\t\t\tm[n%7] = n\n\t\t\t}\n\t\t})\n\t}\n\tw.Wait()\n\treturn 1\n}\n", want: plain.Race, says: []string{"the same map at the same time", "p.go:11 in F.func1"}},
		{name: "recursion", code: "import \"runtime/debug\"\n\nfunc init() { debug.SetMaxStack(1 << 20) }\n\nfunc F() int { return F() + 1 }\n", want: plain.Panic, says: []string{"calls itself without end", "p.go:7 in F"}},
		{name: "it exits", code: "import \"os\"\n\nfunc F() int {\n\tos.Exit(3)\n\treturn 1\n}\n", want: plain.Exit, says: []string{"os.Exit"}},
		{name: "a red test", code: "func F() int { return 2 }\n"},
	}
}

const tests = `package p_test

import (
	"testing"
	"testing/synctest"

	p "github.com/protocluster/workshop/chapters/chapter9/%[1]s"
)

func TestF(t *testing.T) {
	check := func(t *testing.T) {
		if got := p.F(); got != 1 {
			t.Errorf("F = %%d, want 1", got)
		}
	}
	if %[2]v {
		synctest.Test(t, check)
		return
	}
	check(t)
}
`

// workshop makes a module with an exercise for each row.
func workshop(t *testing.T, rows []row) *course.Course {
	t.Helper()
	files := map[string]string{}
	var exercises []fixture.Exercise
	for i, r := range rows {
		dir := fmt.Sprintf("%02d_p", i+1)
		exercises = append(exercises, fixture.Exercise{ID: fmt.Sprint("9.", i+1), Dir: dir, Title: r.name, Objective: "o", Minutes: 1, Level: "core", Tests: []string{"TestF"}})
		if r.code != "" {
			files["chapters/chapter9/"+dir+"/p.go"] = "package p\n\n" + r.code
		}
		if r.extra != "" {
			files["chapters/chapter9/"+dir+"/extra.go"] = r.extra
		}
		files["exercises_test/chapter9/"+dir+"/p_test.go"] = fmt.Sprintf(tests, dir, r.want == plain.Deadlock || r.want == plain.Leak)
	}
	c, err := course.Load(fixture.Workshop(t, exercises, files))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each of these runs go test on real code, all in one go: a bad one costs only
// itself.
func TestOf_EachUglyEndingIsOneSentence(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles many small programs")
	}
	rows := rows()
	c := workshop(t, rows)
	results, err := suite.Run(t.Context(), c.Root, c.Exercises(), suite.Options{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			v := plain.Of(results[i])
			if r.want == "" {
				if v != nil {
					t.Errorf("verdict = %+v, want none", v)
				}
				if solved := results[i].Solved(); solved != (r.code == good) {
					t.Errorf("solved = %v: %+v", solved, results[i])
				}
				return
			}
			if v == nil || v.Kind != r.want {
				t.Fatalf("verdict = %+v, want %s, of\n%v\n%v\n%v", v, r.want, results[i].Build, results[i].Output, output(results[i]))
			}
			text := v.Sentence + "\n" + strings.Join(v.Where, "\n")
			for _, want := range r.says {
				if !strings.Contains(text, want) {
					t.Errorf("the verdict lacks %q:\n%s", want, text)
				}
			}
			if len(v.Where) > 3 || results[i].Solved() {
				t.Errorf("%d places, solved %v", len(v.Where), results[i].Solved())
			}
		})
	}
}

func output(r *suite.Result) string {
	var b strings.Builder
	for _, test := range r.Tests {
		fmt.Fprintln(&b, test.Name, test.Ended, strings.Join(test.Output, "\n"))
	}
	return b.String()
}

// What the race detector prints; it is not on every machine.
const race = `==================
WARNING: DATA RACE
Write at 0x00c000123456 by goroutine 12:
  runtime.mapassign_faststr()
      /usr/local/go/src/internal/runtime/maps/runtime_faststr.go:263 +0x0
  github.com/protocluster/workshop/chapters/chapter9/01_p.(*Registry).Register()
      C:/course/chapters/chapter9/01_p/kinds.go:52 +0x2b0
Previous read at 0x00c000123456 by goroutine 11:
  github.com/protocluster/workshop/chapters/chapter9/01_p.(*Registry).Kinds()
      C:/course/chapters/chapter9/01_p/kinds.go:71 +0x1d0
Goroutine 12 (running) created at:
  github.com/protocluster/workshop/exercises_test/chapter9/01_p_test.TestF()
      C:/course/exercises_test/chapter9/01_p/p_test.go:9 +0x1d0`

func TestOf_ARaceNamesBothPlaces(t *testing.T) {
	c := workshop(t, []row{{name: "p", code: good}})
	r := &suite.Result{Exercise: c.Exercises()[0], Ended: suite.Failed,
		Tests: []*suite.Test{{Name: "TestF", Ended: suite.Failed, Output: strings.Split(race, "\n")}}}
	v := plain.Of(r)
	if v == nil || v.Kind != plain.Race || strings.Join(v.Where, ", ") != "kinds.go:52 in (*Registry).Register, kinds.go:71 in (*Registry).Kinds" {
		t.Errorf("verdict = %+v", v)
	}
}

func TestOf_WhatIsSupplied(t *testing.T) {
	c := workshop(t, []row{{name: "p", code: good}})
	e := c.Exercises()[0]
	r := &suite.Result{Exercise: e, Ended: suite.Broken, Build: []string{"# x", "pkg/protocluster/cluster/view.go:116:1: syntax error: x"}}
	if v := plain.Of(r); v == nil || v.Kind != plain.Untested || !strings.Contains(v.Sentence, "git checkout pkg/protocluster/cluster/view.go") {
		t.Errorf("verdict = %+v, want one about view.go", v)
	}
	if err := os.RemoveAll(e.Path(e.TestDir())); err != nil {
		t.Fatal(err)
	}
	r.Build = []string{"# ./exercises_test/chapter9/01_p", "no Go files in /x/exercises_test/chapter9/01_p"}
	if v := plain.Of(r); v == nil || v.Kind != plain.Untested || !strings.Contains(v.Sentence, "has no tests any more: git checkout "+e.TestDir()) {
		t.Errorf("verdict = %+v, want one about tests that are gone", v)
	}
}

func TestOf_AHangInARecursionIsOne(t *testing.T) {
	c := workshop(t, []row{{name: "p", code: good}})
	lines := []string{"panic: test timed out after 20s", "goroutine 7 [copystack]:"}
	for range 50 {
		lines = append(lines, "github.com/protocluster/workshop/chapters/chapter9/01_p.F(...)", "\t/w/chapters/chapter9/01_p/p.go:3 +0xf")
	}
	r := &suite.Result{Exercise: c.Exercises()[0], Ended: suite.Failed,
		Tests: []*suite.Test{{Name: "TestF", Ended: suite.Unfinished, Output: lines}}}
	if v := plain.Of(r); v == nil || v.Kind != plain.Panic || !strings.Contains(v.Sentence, "calls itself") {
		t.Errorf("verdict = %+v, want one about a function that calls itself", v)
	}
}
