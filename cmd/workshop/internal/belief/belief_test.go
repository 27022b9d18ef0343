package belief_test

import (
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/belief"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

const wrong = "exercises_test/testdata/wrong/chapter9/01_one/"

func text(belief, question string) string {
	return "# Title\n\n**You probably believe** that " + belief + "\n\n**One question:** " + question + "\n"
}

func exercise(t *testing.T, files map[string]string) *course.Exercise {
	t.Helper()
	root := fixture.Workshop(t, []fixture.Exercise{{ID: "9.1", Dir: "01_one", Title: "One", Objective: "o", Minutes: 1, Level: "core", Tests: []string{"TestA", "TestB"}}}, files)
	c, err := course.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return c.Exercises()[0]
}

func TestLoad(t *testing.T) {
	e := exercise(t, map[string]string{
		wrong + "a/misconception.md": text("it is\nfine.", "is it?"), wrong + "a/fails.txt": "TestB\n",
		wrong + "b/misconception.md": strings.ReplaceAll(text("all is well.", "what if\nnot?"), "\n", "\r\n"),
	})
	all, err := belief.Load(e)
	if err != nil || len(all) != 2 {
		t.Fatalf("Load = %v, %v, want two", all, err)
	}
	if a, b := all[0], all[1]; a.Text != "that it is fine." || a.Question != "is it?" || a.Fails[0] != "TestB" || b.Question != "what if not?" || b.Fails != nil {
		t.Errorf("beliefs = %+v", all)
	}
	if _, err := belief.Load(exercise(t, map[string]string{wrong + "a/misconception.md": "# Title\n"})); err == nil || !strings.Contains(err.Error(), "One question") {
		t.Errorf("error = %v, want one that says which paragraphs are missing", err)
	}
	if all, err := belief.Load(exercise(t, nil)); err != nil || all != nil {
		t.Errorf("Load without wrong solutions = %v, %v", all, err)
	}
}

func TestBehind_GoesByAllThatFails(t *testing.T) {
	e := exercise(t, map[string]string{
		wrong + "early/misconception.md": text("a.", "a?"), wrong + "early/fails.txt": "TestA\n",
		wrong + "both/misconception.md": text("b.", "b?"), wrong + "both/fails.txt": "TestA\nTestB\n",
	})
	result := func(a, b string) *suite.Result {
		r := &suite.Result{Exercise: e, Ended: suite.Failed}
		for name, misconception := range map[string]string{"TestA": a, "TestB": b} {
			ended := suite.Passed
			if misconception != "" {
				ended = suite.Failed
			}
			r.Tests = append(r.Tests, &suite.Test{Name: name, Ended: ended, Misconception: strings.TrimPrefix(misconception, "?")})
		}
		return r
	}
	rows := []struct{ name, a, b, want string }{
		{"the first test says it", "early", "", "early"},
		{"all that fail together say more than the first", "early", "both", "both"},
		{"an unknown combination goes by the first", "early", "?", "early"},
		{"a stub has no belief", "?", "?", ""},
		{"nothing failed", "", "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := ""
			b, err := belief.Behind(result(row.a, row.b))
			if b != nil {
				got = b.Misconception
			}
			if err != nil || got != row.want {
				t.Errorf("Behind = %q, %v, want %q", got, err, row.want)
			}
		})
	}
}
