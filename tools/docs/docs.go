// Package docs checks that what the repository's Markdown says is so: every go
// fence compiles, every sh fence runs in CI, every relative link leads
// somewhere. A fence in a language that no check knows is a fault.
//
// The go fences of a document are read from top to bottom as one program: a
// declaration is visible everywhere in the document, a statement sees the
// variables of the statements above it, of ctx (a context.Context) and of t (a
// *testing.T), and may return an error. A fence with a package clause stands for
// itself. Imports may be left out. What the reader need not see goes into an
// HTML comment that starts with "<!-- go".
//
// It starts no goroutine, and runs only go list. Read markdown.go, then
// gocode.go, commands.go and links.go. The package's test is its only user.
package docs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Fault is something a document says that is not so.
type Fault struct {
	File string // relative to the root, with slashes
	Line int
	Text string
}

func (f Fault) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Check returns the faults of all Markdown files below root, which is the
// folder of the main module. It blocks while go list compiles what they import.
func Check(ctx context.Context, root string) ([]Fault, error) {
	documents, err := documents(root)
	if err != nil {
		return nil, err
	}
	runs, err := readCommands(root)
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, d := range documents {
		faults = append(faults, d.faults...)
		faults = append(faults, languageFaults(d)...)
		faults = append(faults, runs.faults(d)...)
		faults = append(faults, linkFaults(os.DirFS(root), d)...)
	}
	inGo, err := goFaults(ctx, root, documents)
	return append(faults, inGo...), err
}

func documents(root string) ([]document, error) {
	var all []document
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		all = append(all, parse(filepath.ToSlash(relative), string(text)))
		return err
	})
	return all, err
}
