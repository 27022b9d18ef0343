package todo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/protocluster/workshop/chapters/todo"
)

func TestError_NamesTheExerciseAndTheNextStep(t *testing.T) {
	got := todo.Error("4.1").Error()
	for _, want := range []string{"4.1", "not written yet", "go tool workshop test 4.1"} {
		if !strings.Contains(got, want) {
			t.Errorf("Error(4.1) = %q, want it to say %q", got, want)
		}
	}
}

func TestIs(t *testing.T) {
	if err := fmt.Errorf("register: %w", todo.Error("4.1")); !todo.Is(err) {
		t.Errorf("Is(%v) = false, want true for a wrapped stub error", err)
	}
	if todo.Is(errors.New("another")) || todo.Is(nil) {
		t.Error("Is finds a stub where there is none")
	}
}
