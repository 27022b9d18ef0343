package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
)

func exercises(t *testing.T) []*course.Exercise {
	t.Helper()
	var all []fixture.Exercise
	for i, dir := range []string{"01_one", "02_two"} {
		all = append(all, fixture.Exercise{ID: fmt.Sprint("9.", i+1), Dir: dir, Title: dir, Objective: "o", Minutes: 1, Level: "core", Tests: []string{"TestA", "TestB"}})
	}
	c, err := course.Load(fixture.Workshop(t, all, nil))
	if err != nil {
		t.Fatal(err)
	}
	return c.Exercises()
}

// read collects events that are written without what all have.
func read(t *testing.T, events ...string) []*Result {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		dir, rest, _ := strings.Cut(e, " ")
		fmt.Fprintf(&b, `{"Package":"github.com/protocluster/workshop/exercises_test/chapter9/%s",%s}`+"\n", dir, rest)
	}
	results, err := collect(exercises(t), strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestCollect_Outcomes(t *testing.T) {
	pass := []string{`01_one "Action":"run","Test":"TestA"`, `01_one "Action":"pass","Test":"TestA"`, `01_one "Action":"run","Test":"TestB"`,
		`01_one "Action":"pass","Test":"TestB"`, `01_one "Action":"output","Output":"ok  x (cached)\n"`, `01_one "Action":"pass","Elapsed":0.5`}
	fail := strings.NewReplacer(`"pass","Test":"TestB"`, `"fail","Test":"TestB"`, `"pass","Elapsed"`, `"fail","Elapsed"`)
	var failed []string
	for _, e := range pass {
		failed = append(failed, fail.Replace(e))
	}
	rows := []struct {
		name   string
		events []string
		solved bool
		want   Outcome
	}{
		{"all pass", pass, true, Passed},
		{"one fails", failed, false, Failed},
		{"one did not run", slices.Concat(pass[:2], pass[5:]), false, Passed},
		{"another ran", slices.Concat(pass[:5], []string{`01_one "Action":"run","Test":"TestC"`, `01_one "Action":"pass","Test":"TestC"`}, pass[5:]), false, Passed},
		{"one never ended", slices.Concat(pass[:3], pass[5:]), false, Failed},
		{"it fails the first time of two", slices.Concat(failed[:5], pass[2:4], failed[5:]), false, Failed},
		{"one was skipped", slices.Concat(pass[:3], []string{`01_one "Action":"skip","Test":"TestB"`}, pass[5:]), true, Passed},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := read(t, row.events...)[0]
			if r.Ended != row.want || r.Solved() != row.solved {
				t.Errorf("ended %q, solved %v, want %q, %v: %+v", r.Ended, r.Solved(), row.want, row.solved, r)
			}
		})
	}
	if r := read(t, pass...)[0]; !r.Cached || r.Elapsed.Milliseconds() != 500 || r.Count() != 2 || r.First() != nil {
		t.Errorf("result = %+v", r)
	}
	if r := read(t, failed...)[0]; r.First().Name != "TestB" {
		t.Errorf("the first that failed is %s, want TestB", r.First().Name)
	}
}

func TestCollect_WhatATestSays(t *testing.T) {
	r := read(t,
		`01_one "Action":"run","Test":"TestA"`,
		`01_one "Action":"output","Test":"TestA","Output":"=== RUN   TestA\n"`,
		`01_one "Action":"attr","Test":"TestA","Key":"misconception","Value":"m"`,
		`01_one "Action":"attr","Test":"TestA","Key":"trace","Value":"1"`,
		`01_one "Action":"output","Test":"TestA/sub","Output":"    a line\n"`,
		`01_one "Action":"fail","Test":"TestA/sub"`,
		`01_one "Action":"output","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"`,
		`01_one "Action":"fail","Test":"TestA"`,
		`01_one "Action":"attr","Test":"TestA","Key":"trace","Value":"2"`,
		`01_one "Action":"fail"`)[0]
	a := r.Test("TestA")
	if len(r.Tests) != 1 || !slices.Equal(a.Output, []string{"    a line"}) || a.Misconception != "m" || a.Trace != "2" || !a.Unsteady {
		t.Errorf("test = %+v", a)
	}
}

func TestCollect_ABuildThatFailsIsItsOwn(t *testing.T) {
	results, err := collect(exercises(t), strings.NewReader(`go: a line that is no event
{"ImportPath":"x/one","Action":"build-output","Output":"one.go:1:1: bad\n"}
{"ImportPath":"x/one","Action":"build-fail"}
{"Action":"fail","Package":"m/exercises_test/chapter9/01_one","FailedBuild":"x/one"}
{"Action":"pass","Package":"m/exercises_test/chapter9/02_two"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if one, two := results[0], results[1]; one.Ended != Broken || !slices.Equal(one.Build, []string{"one.go:1:1: bad"}) || two.Ended != Passed {
		t.Errorf("results = %+v, %+v", one, two)
	}
}

func TestOptions(t *testing.T) {
	o := Options{Overlay: "o.json", Race: true, Shuffle: true, First: true, Fresh: true, Run: "TestA", Seed: 7, Seeds: 200, Trace: true, Offline: true}
	args := strings.Join(o.arguments(exercises(t)[:1]), " ")
	if want := "test -json -timeout=20s -overlay=o.json -race -shuffle=on -vet=off -count=1 -run=TestA ./exercises_test/chapter9/01_one -args -test.failfast"; args != want {
		t.Errorf("arguments = %s\nwant %s", args, want)
	}
	env := strings.Join(o.environment(), " ")
	if want := "WORKSHOP_SEED=7 WORKSHOP_SEEDS=200 WORKSHOP_TRACE=1 GOPROXY=off GOTOOLCHAIN=local"; env != want {
		t.Errorf("environment = %s\nwant %s", env, want)
	}
	if plain := strings.Join(Options{}.environment(), " "); plain != "WORKSHOP_SEED= WORKSHOP_SEEDS= WORKSHOP_TRACE=" {
		t.Errorf("environment = %s, want what the user has set to be unset", plain)
	}
}
