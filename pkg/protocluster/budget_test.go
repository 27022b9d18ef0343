package protocluster_test

import (
	"bytes"
	"go/ast"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// What someone new to the library reads in an afternoon, without tests and
// generated code: 4,500 lines of code at most; comments, which the reader is
// here for, do not count, nor does protoactor.go, which says the same in other
// words. What a reader can take on trust goes into internal packages, which the
// doc.go of each package names.
var newcomersPath = []string{"actor", "remote", "cluster", "cluster/clusterproviders/test", "cluster/identitylookup/disthash"}

const (
	maxPathLines  = 4500
	maxFileLines  = 500
	maxAliasLines = 80 // of protoactor.go, which holds nothing but another spelling
)

func TestBudget_NewcomersPath(t *testing.T) {
	total, withComments := 0, 0
	for _, dir := range newcomersPath {
		code, all := 0, 0
		for _, file := range goFilesIn(t, dir) {
			if !strings.HasSuffix(file, "_test.go") && path.Base(file) != "protoactor.go" && !generated(t, file) {
				code += codeLines(t, file)
				all += countLines(t, file)
			}
		}
		if code == 0 {
			t.Errorf("%s has no code; is the path still right?", dir)
		}
		t.Logf("%5d lines of code, %5d in all, in %s", code, all, dir)
		total += code
		withComments += all
	}
	if total > maxPathLines {
		t.Errorf("the newcomer's path has %d lines of code, want at most %d", total, maxPathLines)
	}
	t.Logf("%5d lines of code, %5d in all, of %d", total, withComments, maxPathLines)
}

func TestBudget_Files(t *testing.T) {
	roots := []string{"."}
	if _, err := os.Stat("../../cmd"); err == nil {
		roots = append(roots, "../../cmd")
	}
	for _, root := range roots {
		for _, file := range goFiles(t, root) {
			most := maxFileLines
			if path.Base(file) == "protoactor.go" {
				most = maxAliasLines
			}
			if lines := countLines(t, file); lines > most && !generated(t, file) {
				t.Errorf("%s has %d lines, want at most %d: which of its ideas deserves its own file?", file, lines, most)
			}
		}
	}
}

func goFilesIn(t testing.TB, dir string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), path.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func generated(t testing.TB, file string) bool {
	t.Helper()
	return ast.IsGenerated(parse(t, file, nil))
}

func countLines(t testing.TB, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// codeLines counts the lines that hold more than a comment.
func codeLines(t testing.TB, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	source := files.AddFile(file, -1, len(text))
	var tokens scanner.Scanner
	tokens.Init(source, text, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, literal := tokens.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if literal == "\n" {
			continue // a semicolon that the scanner put in
		}
		first := source.Line(pos)
		for i := range strings.Count(literal, "\n") + 1 {
			lines[first+i] = true
		}
	}
}

// The count is worth what it tells apart.
func TestBudget_CountsCode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.go")
	text := "// Package x.\npackage x\n\n/* a\nb */\nvar s = `1\n2` // s\n\n\tvar t = 1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := codeLines(t, file); got != 4 {
		t.Errorf("codeLines = %d, want 4: the package clause, two of s, one of t", got)
	}
}

// Only testkit.Advance sleeps: whoever else did would bet on time.
func TestNobodySleeps(t *testing.T) {
	for _, root := range []string{".", "../../cmd"} {
		for _, file := range goFiles(t, root) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if file != "testkit/advance.go" && bytes.Contains(text, []byte("time"+".Sleep(")) {
				t.Errorf("%s sleeps; use testkit.Advance in a bubble, or wait for what happens", file)
			}
		}
	}
}
