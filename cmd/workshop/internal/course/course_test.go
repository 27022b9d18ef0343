package course_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
)

const good = `{"chapters": [{"id": "4", "dir": "chapter4", "title": "Clusters", "exercises": [
	{"id": "4.1", "dir": "01_kinds", "title": "Kinds", "objective": "A promise.", "minutes": 20, "level": "core",
	 "tests": ["TestA"], "wrong": [{"misconception": "last-one-wins", "test": "TestA"}]},
	{"id": "4.2", "dir": "02_members", "title": "Members", "objective": "A view.", "minutes": 20, "level": "core", "draft": true},
	{"id": "4.11", "dir": "11_lab", "title": "Lab", "objective": "All.", "minutes": 20, "level": "lab", "needs": ["4.1"], "tests": ["TestB"]}
]}]}`

// write makes a folder whose manifest says text.
func write(t testing.TB, text string) (root string) {
	t.Helper()
	root = t.TempDir()
	file := filepath.Join(root, filepath.FromSlash(course.Manifest))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestLoad(t *testing.T) {
	root := write(t, good)
	c, err := course.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range c.Exercises() {
		ids = append(ids, e.ID)
	}
	if got := strings.Join(ids, " "); got != "4.1 4.11" {
		t.Errorf("exercises = %s, want 4.1 4.11 and no draft", got)
	}
	e := c.Exercises()[0]
	if e.Package() != "kinds" || e.LearnerDir() != "chapters/chapter4/01_kinds" || e.TestDir() != "exercises_test/chapter4/01_kinds" ||
		e.WrongDir("x") != "exercises_test/testdata/wrong/chapter4/01_kinds/x" || e.Path("a/b") != filepath.Join(c.Root, "a", "b") {
		t.Errorf("package %q, folders %q, %q, %q, %q", e.Package(), e.LearnerDir(), e.TestDir(), e.WrongDir("x"), e.Path("a/b"))
	}
	if !e.Written() || c.Exercises()[1].Written() {
		t.Error("a lab has nothing to write, and the others have")
	}
}

func TestLoad_TellsEveryFault(t *testing.T) {
	_, err := course.Load(write(t, `{"chapters": [{"id": "4", "exercises": [
		{"id": "5.1", "dir": "01_a", "title": "A", "objective": "A.", "minutes": 1, "level": "core", "draft": true},
		{"id": "4.2", "dir": "03_b", "title": "B", "objective": "B.", "minutes": 1, "level": "core", "draft": true},
		{"id": "4.3", "dir": "03_c", "level": "easy", "needs": ["4.9"], "wrong": [{"misconception": "m", "test": "TestM"}]}]}]}`))
	if err == nil {
		t.Fatal("Load accepts a manifest that is wrong")
	}
	for _, want := range []string{
		`"5.1": it does not begin with its chapter's id, "4"`, `"4.2": its folder is "03_b"; name it 02_package`, `"4.3": its level is "easy"`,
		"lacks a title", `needs "4.9"`, "names no tests", `"m" is to fail in "TestM"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s:\n%v", want, err)
		}
	}
	if _, err := course.Load(write(t, `{"chaptres": []}`)); err == nil || !strings.Contains(err.Error(), "chaptres") {
		t.Errorf("error = %v, want it to name the unknown field", err)
	}
}

func TestExercise_IsFoundByManyNames(t *testing.T) {
	c, err := course.Load(write(t, good))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"4.1", "01_kinds", "kinds", "Kinds", "chapters/chapter4/01_kinds", "./chapters/chapter4/01_kinds/"} {
		if e, err := c.Exercise(name); err != nil || e.ID != "4.1" {
			t.Errorf("Exercise(%q) = %v, %v, want 4.1", name, e, err)
		}
	}
	if _, err := c.Exercise("4.7"); err == nil || !strings.Contains(err.Error(), "4.1, 4.11") {
		t.Errorf("error = %v, want one that lists the exercises", err)
	}
	if _, err := c.Exercise("4.2"); err == nil || !strings.Contains(err.Error(), "still being written") {
		t.Errorf("error = %v, want one that says that 4.2 is a draft", err)
	}
}

func TestFind(t *testing.T) {
	root := write(t, good)
	below := filepath.Join(root, "chapters", "deep")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := course.Find(below)
	if same, _ := filepath.EvalSymlinks(root); err != nil || got != root && got != same {
		t.Errorf("Find = %q, %v, want %q", got, err, root)
	}
	if _, err := course.Find(t.TempDir()); !errors.Is(err, course.ErrNoCourse) {
		t.Errorf("error outside = %v, want ErrNoCourse", err)
	}
}

func TestRepository_ManifestIsRight(t *testing.T) {
	c, err := course.Load("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Exercises() {
		if e.Minutes > 60 {
			t.Errorf("%s takes %d minutes; what can be split?", e.ID, e.Minutes)
		}
	}
}
