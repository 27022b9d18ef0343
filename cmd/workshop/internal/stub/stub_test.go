package stub_test

import (
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/stub"
)

const solution = `package kinds

import (
	//workshop:solution
	"slices"
	//workshop:end

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	//workshop:stub "github.com/protocluster/workshop/chapters/todo"
)

// Register refuses duplicates.
func (r *Registry) Register(k cluster.Kind) error {
	//workshop:solution
	if slices.Contains(r.names, k.Name) {
		return errTwice
	}
	return nil
	//workshop:end
	//workshop:stub // Your code: what is a duplicate?
	//workshop:stub return todo.Error("4.1")
}
`

const want = `package kinds

import (
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Register refuses duplicates.
func (r *Registry) Register(k cluster.Kind) error {
	// Your code: what is a duplicate?
	return todo.Error("4.1")
}
`

func TestOf(t *testing.T) {
	for name, text := range map[string]string{"lines end with LF": solution, "lines end with CRLF": strings.ReplaceAll(solution, "\n", "\r\n")} {
		got, err := stub.Of("kinds.go", []byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s: Of = %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
}

func TestOf_FaultsNameTheLine(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"never closed", "package x\n//workshop:solution\n", "x.go:2: //workshop:solution is never closed"},
		{"closed twice", "package x\n//workshop:solution\n//workshop:end\n//workshop:end\n", "x.go:4: //workshop:end without"},
		{"nested", "//workshop:solution\n//workshop:solution\n", "x.go:2: //workshop:solution inside that of line 1"},
		{"a stub line that is left out", "//workshop:solution\n//workshop:stub x\n", "x.go:2: //workshop:stub inside what is left out"},
		{"a misspelled marker", "package x\n//workshop:stubs return\n", `x.go:2: "//workshop:stubs return" is no marker`},
		{"a marker behind code", "package x\nvar x = 1 //workshop:solution\n", "x.go:2: "},
		{"nothing to write", "package x\n", "x.go: nothing is left to the learner"},
		{"no Go", "package x\n//workshop:solution\n//workshop:end\nfunc {\n", "x.go: the stub is not Go"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := stub.Of("x.go", []byte(row.text))
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("error = %v, want one that starts with %q", err, row.want)
			}
		})
	}
}

func TestPlain_LeavesOutTheMarkers(t *testing.T) {
	got, err := stub.Plain([]byte(solution))
	if err != nil || strings.Contains(string(got), "workshop:") || strings.Contains(string(got), "todo") || !strings.Contains(string(got), "return errTwice") {
		t.Errorf("Plain = %v\n%s", err, got)
	}
}
