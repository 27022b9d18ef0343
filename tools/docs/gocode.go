package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// goFaults compiles the go fences of all documents, as far as types go.
func goFaults(ctx context.Context, root string, documents []document) ([]Fault, error) {
	var faults []Fault
	c := &checker{root: root, fset: token.NewFileSet()}
	var programs []program
	for _, d := range documents {
		made, bad := c.programs(d)
		programs, faults = append(programs, made...), append(faults, bad...)
	}
	if len(programs) == 0 {
		return faults, nil
	}
	if err := c.load(ctx, programs); err != nil {
		return faults, err
	}
	for _, p := range programs {
		faults = append(faults, c.faults(p)...)
	}
	return faults, nil
}

// program is a package made of the fences of a document.
type program struct {
	file  string
	files []*ast.File
}

type checker struct {
	root     string
	fset     *token.FileSet
	packages map[string]string // import paths by package name
	importer types.Importer
}

// statementsHead and statementsTail make a function of a document's statements.
const (
	statementsHead = "func _(ctx context.Context, t *testing.T) error {"
	statementsTail = "return nil\n}\n"
)

// programs takes the fences of one document apart: one program for each that
// has a package clause, one for all others together.
func (c *checker) programs(d document) ([]program, []Fault) {
	var alone []program
	var faults []Fault
	shared := program{file: d.file}
	var statements strings.Builder
	depth := 0
	for _, f := range d.fences {
		if f.language != "go" {
			continue
		}
		at := fmt.Sprintf("//line %s:%d\n", d.file, f.line)
		if parsed, err := c.parse(at + f.text); err == nil {
			alone = append(alone, program{file: d.file, files: []*ast.File{parsed}})
			continue
		}
		declarations, err := c.parse("package docs\n" + at + f.text)
		if err == nil {
			shared.files = append(shared.files, declarations)
			continue
		}
		if _, err := c.parse("package docs\n" + statementsHead + "\n" + at + f.text + statementsTail); err != nil {
			faults = append(faults, syntaxFault(d, err))
			continue
		}
		// A block in the block above, which sees its variables and may
		// declare its own of the same name.
		statements.WriteString("{\n" + at + f.text)
		depth++
	}
	if depth > 0 {
		source := "package docs\n" + statementsHead + "\n" + statements.String() + strings.Repeat("}", depth) + "\n" + statementsTail
		parsed, err := c.parse(source)
		if err != nil {
			return alone, append(faults, syntaxFault(d, err))
		}
		shared.files = append(shared.files, parsed)
	}
	if shared.files != nil {
		alone = append(alone, shared)
	}
	return alone, faults
}

func (c *checker) parse(source string) (*ast.File, error) {
	return parser.ParseFile(c.fset, "fence.go", source, parser.SkipObjectResolution)
}

func syntaxFault(d document, err error) Fault {
	if list, ok := errors.AsType[scanner.ErrorList](err); ok {
		return d.fault(list[0].Pos.Line, "%s", list[0].Msg)
	}
	return d.fault(1, "%v", err)
}

// load adds the imports that were left out, and has everything that is imported
// compiled.
func (c *checker) load(ctx context.Context, programs []program) error {
	if err := c.listPackages(ctx); err != nil {
		return err
	}
	imported := map[string]bool{}
	for _, p := range programs {
		declared := declarations(p.files)
		for _, f := range p.files {
			c.addImports(f, declared)
			for _, spec := range f.Imports {
				if name, err := strconv.Unquote(spec.Path.Value); err == nil {
					imported[name] = true
				}
			}
		}
	}
	// An import that does not exist is for the type checker to tell, hence -e.
	args := append(append(likeThis(), "-e", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}", "context"),
		slices.Sorted(maps.Keys(imported))...)
	exports, err := c.golist(ctx, args...)
	c.importer = importer.ForCompiler(c.fset, "gc", func(importPath string) (io.ReadCloser, error) {
		file, ok := exports[importPath]
		if !ok {
			return nil, fmt.Errorf("no package %s", importPath)
		}
		return os.Open(file)
	})
	return err
}

// likeThis are the flags with which this program was built: with them most of
// what go list has to compile is there already.
func likeThis() []string {
	build, ok := debug.ReadBuildInfo()
	if ok && slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return []string{"-race"}
	}
	return nil
}

// listPackages finds what a package name stands for: a package of this module,
// or else the one of the standard library with the shortest path.
func (c *checker) listPackages(ctx context.Context) error {
	c.packages = map[string]string{"rand": "math/rand/v2"}
	for _, pattern := range []string{"./pkg/...", "std"} {
		paths, err := c.golist(ctx, "-e", "-f", "{{.ImportPath}} {{.Name}}", pattern)
		if err != nil {
			return err
		}
		shortest := slices.SortedFunc(maps.Keys(paths), func(a, b string) int { return len(a) - len(b) })
		for _, importPath := range shortest {
			name := paths[importPath]
			if _, taken := c.packages[name]; !taken && !strings.Contains(importPath, "internal/") {
				c.packages[name] = importPath
			}
		}
	}
	return nil
}

// golist runs go list in the root and returns the two words of each line.
func (c *checker) golist(ctx context.Context, args ...string) (map[string]string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append([]string{"list"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.root, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("docs: go list: %w\n%s", err, stderr.Bytes())
	}
	lines := map[string]string{}
	for line := range strings.Lines(stdout.String()) {
		first, second, _ := strings.Cut(strings.TrimSpace(line), " ")
		lines[first] = second
	}
	return lines, nil
}

// addImports imports what f names without declaring or importing it.
func (c *checker) addImports(f *ast.File, declared map[string]bool) {
	has := maps.Clone(declared)
	for _, spec := range f.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		has[name[strings.LastIndex(name, "/")+1:]] = true
		if spec.Name != nil {
			has[spec.Name.Name] = true
		}
	}
	var missing []string
	ast.Inspect(f, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		base, ok := selector.X.(*ast.Ident)
		if !ok || has[base.Name] || !selector.Sel.IsExported() {
			return true
		}
		if importPath, known := c.packages[base.Name]; known {
			has[base.Name] = true
			missing = append(missing, strconv.Quote(importPath))
		}
		return true
	})
	for _, quoted := range missing { // not above, where it would move what is inspected
		addImport(f, quoted)
	}
}

func addImport(f *ast.File, quoted string) {
	if slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == quoted }) {
		return
	}
	spec := &ast.ImportSpec{Path: &ast.BasicLit{Kind: token.STRING, Value: quoted}}
	f.Imports = append(f.Imports, spec)
	f.Decls = slices.Insert(f.Decls, 0, ast.Decl(&ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{spec}}))
}

// declarations are the names declared at the top of files.
func declarations(files []*ast.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range value.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// faults are the compiler's, except that a variable or an import may be unused.
func (c *checker) faults(p program) []Fault {
	var faults []Fault
	config := types.Config{
		Importer: c.importer,
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); ok && !e.Soft {
				faults = append(faults, Fault{File: p.file, Line: e.Fset.Position(e.Pos).Line, Text: e.Msg})
			}
		},
	}
	// The error is the first of those that Error was told.
	_, _ = config.Check("docs", c.fset, p.files, nil)
	return faults
}
