package variant_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

const (
	learner  = "chapters/chapter9/01_one/"
	solution = "solutions/chapter9/01_one/one.go"
	wrong    = "exercises_test/testdata/wrong/chapter9/01_one/m/one.go"
)

func exercise(t *testing.T) *course.Exercise {
	t.Helper()
	root := fixture.Workshop(t, []fixture.Exercise{{ID: "9.1", Dir: "01_one", Title: "One", Objective: "o", Minutes: 1, Level: "core", Tests: []string{"TestF"}}},
		map[string]string{
			learner + "one.go": "package one\n", learner + "more.go": "package one\n",
			solution: "package one\n\nfunc F() int {\n\t//workshop:solution\n\treturn 1\n\t//workshop:end\n\t//workshop:stub return 0\n}\n",
			wrong:    "package one\n\nfunc F() int { return 2 }\n",
		})
	c, err := course.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return c.Exercises()[0]
}

// replaced is what an overlay says, with paths below the root.
func replaced(t *testing.T, e *course.Exercise, plan *variant.Plan) map[string]string {
	t.Helper()
	file, err := plan.Write(e.Path())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		t.Fatal(err)
	}
	short := map[string]string{}
	for from, to := range overlay.Replace {
		short[strings.TrimPrefix(from, e.Path()+string(os.PathSeparator))] = strings.TrimPrefix(to, e.Path()+string(os.PathSeparator))
	}
	return short
}

func TestPlan_AnotherFileStandsForTheLearners(t *testing.T) {
	e := exercise(t)
	for name, use := range map[string]func(*variant.Plan) error{
		solution: func(p *variant.Plan) error { return p.Solution(e) },
		wrong:    func(p *variant.Plan) error { return p.Wrong(e, "m") },
		variant.Cache + "/stubs/chapter9/01_one/one.go": func(p *variant.Plan) error { return p.Stub(e) },
	} {
		plan := new(variant.Plan)
		if err := use(plan); err != nil {
			t.Fatal(err)
		}
		got := replaced(t, e, plan)
		if got[learner+"one.go"] != name || got[learner+"more.go"] != "" || len(got) != 2 {
			t.Errorf("the overlay is %v, want %s for one.go, and more.go hidden", got, name)
		}
	}
	if stub := fixture.Read(t, e.Path(), variant.Cache+"/stubs/chapter9/01_one/one.go"); stub != "package one\n\nfunc F() int {\n\treturn 0\n}\n" {
		t.Errorf("the stub is\n%s", stub)
	}
}

func TestPlan_TheLearnersOwnCodeNeedsNoOverlay(t *testing.T) {
	if file, err := new(variant.Plan).Write(exercise(t).Path()); err != nil || file != "" {
		t.Errorf("Write = %q, %v, want none", file, err)
	}
}

func TestPlan_TheSameOverlayHasTheSameName(t *testing.T) {
	e := exercise(t)
	var names []string
	for range 2 {
		plan := new(variant.Plan)
		if err := plan.Solution(e); err != nil {
			t.Fatal(err)
		}
		name, err := plan.Write(e.Path())
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if names[0] != names[1] {
		t.Errorf("the names are %v; go test caches by name", names)
	}
}

func TestPlan_WhatIsMissingIsNamed(t *testing.T) {
	e := exercise(t)
	if err := new(variant.Plan).Wrong(e, "nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere has no Go files") {
		t.Errorf("error = %v, want it to name the folder", err)
	}
}
