package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRepository(t *testing.T) {
	if _, err := os.Stat("../../README.md"); err != nil {
		t.Error(err)
	}
	faults, err := Check(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// In the rows ' stands for a backquote.
func markdown(s string) document { return parse("x.md", strings.ReplaceAll(s, "'", "`")) }

func TestGoFences(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"a program", "'''go\npackage main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n'''", ""},
		{"imports may be left out", "'''go\nfmt.Println(time.Second)\n'''", ""},
		{"and are found in each declaration", "'''go\nvar a fmt.Stringer\n\nvar b io.Reader\n\nvar c time.Time\n\nvar d url.URL\n\nvar e big.Int\n'''", ""},
		{"variables may be unused", "'''go\nn := 1\n'''", ""},
		{"later statements see earlier variables", "'''go\nn := 1\n'''\ntext\n'''go\nn++\nn, err := n, ctx.Err()\n'''", ""},
		{"statements see all declarations", "'''go\nx := T{}\n'''\n'''go\ntype T struct{}\n'''", ""},
		{"statements may return an error", "'''go\nif err := ctx.Err(); err != nil {\n\treturn err\n}\n'''", ""},
		{"a hidden part", "<!-- go\nvar hidden int\n-->\n'''go\nhidden++\n'''", ""},
		{"the library is known by name", "'''go\nvar a actor.Actor\n'''", ""},
		{"a syntax error", "one\n'''go\nx := := 1\n'''", "x.md:3: expected operand, found ':='"},
		{"an undefined name", "one\n\n'''go\nx := 1\nx = nowhere\n'''", "x.md:5: undefined: nowhere"},
		{"a method that is not there", "'''go\nctx.Cancel()\n'''", "x.md:2: ctx.Cancel undefined"},
		{"a wrong type", "'''go\ntype T struct{}\n\nfunc f() int { return T{} }\n'''", "x.md:4: cannot use T{}"},
		{"a package that is not there", "'''go\nimport \"example.com/nowhere\"\n\nvar x = nowhere.X\n'''", "x.md:2: could not import example.com/nowhere"},
		{"a program sees nothing else", "'''go\ntype T struct{}\n'''\n'''go\npackage main\n\nvar x T\n'''", "x.md:7: undefined: T"},
	}
	var documents []document // all at once, because go list takes its time
	for i, row := range rows {
		d := markdown(row.text)
		d.file = fmt.Sprint(i)
		documents = append(documents, d)
	}
	faults, err := goFaults(t.Context(), "../..", documents)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var got []Fault
			for _, f := range faults {
				if f.File == fmt.Sprint(i) {
					got = append(got, Fault{File: "x.md", Line: f.Line, Text: f.Text})
				}
			}
			expect(t, got, row.want)
		})
	}
}

func TestCommands(t *testing.T) {
	const makefile = "demo: member ## Show it.\n\t@$(GO) run ./cmd/demo -fast\nmember:\n\t@$(MAKE) deep\ndeep:\nbench:\nGO := go\n"
	c := parseCommands(makefile, "set -e\nstep make demo # not make bench\nstep go vet ./...\n")
	rows := []struct{ name, text, want string }{
		{"a target of CI", "'''sh\nmake demo\n'''", ""},
		{"a target that it needs", "'''sh\nmake member deep SECONDS=5\n'''", ""},
		{"a line of a recipe", "'''sh\ngo run  ./cmd/demo \\\n  -fast # it is\n'''", ""},
		{"a line of CI", "'''sh\n# a comment\n\ngo vet ./...\n'''", ""},
		{"what CI need not run", "'''sh\ngit clone https://example.com/x\ncd x\nmake\ngo tool workshop hint 4.1\nmake test-chapter4\n'''", ""},
		{"a target that CI does not make", "'''sh\n\nmake demo bench\n'''", "x.md:3: CI does not run make bench"},
		{"a target that is not there", "'''sh\nmake dmeo\n'''", "x.md:2: the Makefile has no target \"dmeo\""},
		{"a target in the text", "run 'make dmeo' now", "x.md:1: the Makefile has no target \"dmeo\""},
		{"a command that CI does not run", "'''sh\ngo run ./cmd/demo\n'''", "x.md:2: CI does not run go run ./cmd/demo"},
		{"a command that starts like a free one", "'''sh\ngit clones\n'''", "x.md:2: CI does not run git clones"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { expect(t, c.faults(markdown(row.text)), row.want) })
	}
}

func TestLinks(t *testing.T) {
	root := fstest.MapFS{
		"x.md":       {Data: []byte("# Where to go: next\n")},
		"d/y.md":     {Data: []byte("## A\n")},
		"d/file.txt": {},
	}
	rows := []struct{ name, text, want string }{
		{"a file", "[a](d/file.txt)", ""},
		{"a folder", "[a](d/)", ""},
		{"a heading here", "[a](#where-to-go-next)", ""},
		{"a heading there", "[a](d/y.md#a)", ""},
		{"the web", "[a](https://example.com/x) [b](mailto:a@example.com)", ""},
		{"code", "'[a](nowhere)' and\n'''text\n[a](nowhere)\n'''", ""},
		{"a missing file", "\n[a](nowhere.md)", "x.md:2: the link nowhere.md leads to nowhere.md, which is not there"},
		{"a missing heading", "[a](d/y.md#b)", "x.md:1: the link d/y.md#b leads to a heading that d/y.md does not have"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { expect(t, linkFaults(root, markdown(row.text)), row.want) })
	}
}

func TestForm(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"languages", "'''text\nx\n'''\n~~~json\n{\"a\": [\"'''\"]}\n~~~\n- item\n  '''sh\n  make\n  '''", ""},
		{"an unknown language", "'''rust\n'''", "x.md:1: no check covers fences in \"rust\""},
		{"no language", "'''\nmake demo\n'''", "x.md:1: no check covers fences in \"\""},
		{"a drawing", "'''mermaid\nsequenceDiagram\n    a->>b: hello, b\n'''", ""},
		{"a drawing of no kind", "'''mermaid\na->>b: hello\n'''", "x.md:2: \"a->>b:\" is no kind of drawing"},
		{"a drawing with a semicolon", "'''mermaid\nsequenceDiagram\n    a->>b: hello; b\n'''", "x.md:3: mermaid ends the line at the semicolon"},
		{"bad JSON", "'''json\n{a: 1}\n'''", "x.md:2: this is not JSON"},
		{"an open fence", "\n'''go\nfunc", "x.md:2: this block is never closed"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := markdown(row.text)
			expect(t, append(languageFaults(d), d.faults...), row.want)
		})
	}
}

// expect wants no fault, or only one that starts with want.
func expect(t testing.TB, got []Fault, want string) {
	t.Helper()
	if want == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 || want == "" || !strings.HasPrefix(got[0].String(), want) {
		t.Errorf("faults = %s, want one that starts with %q", fmt.Sprint(got), want)
	}
}
