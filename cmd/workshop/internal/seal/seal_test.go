package seal_test

import (
	"os"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
)

const tests = "exercises_test/chapter9/01_one/"

func exercise(t *testing.T) (root string, e *course.Exercise) {
	t.Helper()
	root = fixture.Workshop(t, []fixture.Exercise{{ID: "9.1", Dir: "01_one", Title: "One", Objective: "o", Minutes: 1, Level: "core", Tests: []string{"TestF"}}},
		map[string]string{tests + "a_test.go": "package one_test\n", tests + "b_test.go": "package one_test\n\n// B.\n"})
	c, err := course.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, c.Exercises()[0]
}

func TestBroken(t *testing.T) {
	rows := []struct {
		name   string
		change func(t *testing.T, root string)
		want   string
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"other line ends", func(t *testing.T, root string) {
			fixture.Write(t, root, tests+"b_test.go", "package one_test\r\n\r\n// B.\r\n")
		}, ""},
		{"edited", func(t *testing.T, root string) { fixture.Write(t, root, tests+"b_test.go", "package one_test\n") }, "b_test.go was edited"},
		{"added", func(t *testing.T, root string) { fixture.Write(t, root, tests+"c_test.go", "package one_test\n") }, "c_test.go was added"},
		{"deleted", func(t *testing.T, root string) {
			if err := os.Remove(root + "/" + tests + "a_test.go"); err != nil {
				t.Fatal(err)
			}
		}, "a_test.go was deleted"},
		{"the seal itself", func(t *testing.T, root string) {
			if err := os.Remove(root + "/" + tests + seal.Name); err != nil {
				t.Fatal(err)
			}
		}, "tests.sum was deleted"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			root, e := exercise(t)
			if err := seal.Write(e); err != nil {
				t.Fatal(err)
			}
			row.change(t, root)
			broken, err := seal.Broken(e)
			if got := strings.Join(broken, "; "); err != nil || got != row.want {
				t.Errorf("Broken = %q, %v, want %q", got, err, row.want)
			}
		})
	}
}
