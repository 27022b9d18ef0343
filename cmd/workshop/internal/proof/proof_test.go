package proof_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/proof"
)

const (
	solution = `package %[1]s

import (
	//workshop:solution
	"errors"
	//workshop:end

	//workshop:stub "github.com/protocluster/workshop/chapters/todo"
)

// Do refuses what is negative.
func Do(n int) error {
	//workshop:solution
	if n < 0 {
		return errors.New("negative")
	}
	return nil
	//workshop:end
	//workshop:stub return todo.Error("%[2]s")
}
`
	tests = `package %[1]s_test

import (
	"testing"

	%[1]s "github.com/protocluster/workshop/chapters/chapter9/%[2]s"
	"github.com/protocluster/workshop/exercises_test/internal/story"
)

func TestDo(t *testing.T) {
	s := story.Begin(t, "Do refuses what is negative.")
	s.Need(%[1]s.Do(1), story.Failure{Happened: "It refused 1."})
	if %[1]s.Do(-1) == nil {
		s.Fatal(story.Failure{Misconception: "takes-all", Happened: "It took -1."})
	}
}
`
	wrong = "package %[1]s\n\n// Do takes all.\nfunc Do(int) error { return nil }\n"
)

// workshop has two exercises that are right, but for what files say instead.
func workshop(t *testing.T, files map[string]string) *proof.Prover {
	t.Helper()
	all := map[string]string{}
	var exercises []fixture.Exercise
	for i, name := range []string{"one", "two"} {
		id, dir := fmt.Sprint("9.", i+1), fmt.Sprintf("%02d_%s", i+1, name)
		all["chapters/chapter9/"+dir+"/README.md"] = "# T\n"
		all["solutions/chapter9/"+dir+"/"+name+".go"] = fmt.Sprintf(solution, name, id)
		all["exercises_test/chapter9/"+dir+"/"+name+"_test.go"] = fmt.Sprintf(tests, name, dir)
		all["exercises_test/testdata/wrong/chapter9/"+dir+"/takes-all/"+name+".go"] = fmt.Sprintf(wrong, name)
		all["exercises_test/testdata/wrong/chapter9/"+dir+"/takes-all/misconception.md"] = "# T\n\n**You probably believe** that.\n\n**One question:** why?\n"
		exercises = append(exercises, fixture.Exercise{ID: id, Dir: dir, Title: name, Objective: "o", Minutes: 1, Level: "core",
			Tests: []string{"TestDo"}, Wrong: []course.Wrong{{Misconception: "takes-all", Test: "TestDo"}}})
	}
	maps.Copy(all, files)
	c, err := course.Load(fixture.Workshop(t, exercises, all))
	if err != nil {
		t.Fatal(err)
	}
	return &proof.Prover{Course: c, Exercises: c.Exercises()}
}

// faults runs one proof and returns what it finds.
func faults(t *testing.T, p *proof.Prover, name string) string {
	t.Helper()
	for _, one := range p.All() {
		if one.Name == name {
			found, err := one.Run(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return strings.Join(found.Faults, "\n")
		}
	}
	t.Fatalf("there is no proof %q", name)
	return ""
}

func TestProofs_HoldWhereAllIsRight(t *testing.T) {
	p := workshop(t, nil)
	names := []string{"stubs", "solutions", "wrong", "order", "alone", "traces"}
	if testing.Short() {
		names = names[1:3] // the first has vet look at the whole standard library
		t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -vet=off")
	}
	for _, name := range names {
		if got := faults(t, p, name); got != "" {
			t.Errorf("%s finds faults where there are none:\n%s", name, got)
		}
	}
}

// A proof is worth what it finds.
func TestProofs_FindFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles many small programs")
	}
	const (
		sourceTwo = "solutions/chapter9/02_two/two.go"
		testTwo   = "exercises_test/chapter9/02_two/two_test.go"
		wrongTwo  = "exercises_test/testdata/wrong/chapter9/02_two/takes-all/two.go"
	)
	good := fmt.Sprintf(solution, "two", "9.2")
	goodTests := fmt.Sprintf(tests, "two", "02_two")
	rows := []struct{ name, proof, file, text, want string }{
		{"a test that is green on the stub", "stubs", testTwo,
			strings.Replace(goodTests, "s.Need(two.Do(1), story.Failure{Happened: \"It refused 1.\"})", "_ = two.Do(1)", 1), "TestDo is not red"},
		{"a stub that is blamed", "stubs", testTwo, strings.Replace(goodTests, "s.Need(two.Do(1), story.Failure{Happened: \"It refused 1.\"})",
			"if two.Do(1) != nil {\n\t\ts.Fatal(story.Failure{Misconception: \"takes-all\"})\n\t}", 1), `blames the misconception "takes-all"`},
		{"a test without a story", "stubs", testTwo,
			strings.Replace(goodTests, "s.Need(two.Do(1), story.Failure{Happened: \"It refused 1.\"})", "if two.Do(1) != nil {\n\t\tt.Fatal(\"no\")\n\t}", 1), "does not tell a story"},
		{"a stub that panics", "stubs", sourceTwo, strings.Replace(good, "return todo.Error(\"9.2\")", "panic(todo.Error(\"9.2\"))", 1), "Your code panicked"},
		{"a stub that does not build", "stubs", sourceTwo, strings.Replace(good, "todo.Error(\"9.2\")", "todo.Error(9)", 1), "go vet says of the stubs"},
		{"a solution that is red", "solutions", sourceTwo, strings.Replace(good, "n < 0", "n < -1", 1), "9.2: the solution is not green: TestDo: Do refuses"},
		{"a test that the manifest does not name", "solutions", testTwo, goodTests + "\nfunc TestMore(*testing.T) {}\n", "TestMore"},
		{"a wrong solution that is right", "wrong", wrongTwo, strings.ReplaceAll(good, "//workshop:", "// "), "is not red in TestDo"},
		{"a wrong solution that fails for another reason", "wrong", wrongTwo, "package two\n\nimport \"errors\"\n\n// Do refuses all.\nfunc Do(int) error { return errors.New(\"no\") }\n", `fails in TestDo as ""`},
		{"a wrong solution that panics", "wrong", wrongTwo, "package two\n\n// Do panics.\nfunc Do(int) error { panic(1) }\n", "does not even fail in a test"},
		{"an exercise that needs another", "alone", testTwo, strings.NewReplacer("two.Do(1)", "one.Do(1)", "\ttwo \"", "\tone \"github.com/protocluster/workshop/chapters/chapter9/01_one\"\n\ttwo \"").Replace(goodTests), "with 9.2 alone, 9.2 is not green"},
		{"an exercise that another one solves", "order", testTwo, strings.NewReplacer("two.Do(", "one.Do(", "\ttwo \"", "\tone \"github.com/protocluster/workshop/chapters/chapter9/01_one\"\n\t_ \"").Replace(goodTests), "after the first 1, 9.2 is green without its solution"},
		{"a mutant that nothing notices", "mutants", testTwo, goodTests, `9.2: line 14: nothing notices if in Do: "<" becomes "<=" in n < 0`},
		{"too many mutants that nothing notices", "mutants", testTwo, goodTests, "9.2: 3 of 5 mutants die, want 90 %"},
		{"a survivor that is none", "mutants", "solutions/chapter9/02_two/survivors.txt", "Do: \"<\" becomes \">=\" in n < 0 # no reason\n", "a line too many"},
		{"a survivor of code that is gone", "mutants", "solutions/chapter9/02_two/survivors.txt", "Do: \"<\" becomes \"<=\" in n < 7 # no reason\n", "a line too many"},
		{"a trace that depends on luck", "traces", testTwo, strings.Replace(goodTests, "s.Need(", "s.Note(\"\", \"%v\", time.Now())\n\ts.Need(", 1), "9.2: TestDo did something else"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			text := row.text
			if row.proof == "traces" {
				text = strings.Replace(text, "\"testing\"\n", "\"testing\"\n\t\"time\"\n", 1)
			}
			p := workshop(t, map[string]string{row.file: text})
			if row.proof != "order" && row.proof != "alone" {
				p.Exercises = p.Exercises[1:] // the first is right, and takes its time
			}
			if got := faults(t, p, row.proof); !strings.Contains(got, row.want) {
				t.Errorf("%s finds\n%s\nwant %q", row.proof, got, row.want)
			}
		})
	}
}
