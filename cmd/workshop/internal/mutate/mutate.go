// Package mutate makes small faults in a solution, one at a time: what tests do
// not notice of them, they would not notice of a learner's either.
//
// Only what lies between the markers of a solution is changed. It starts no
// goroutine and touches no file.
package mutate

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Mutant is a solution with one fault.
type Mutant struct {
	Name string // function and change; the same as long as the code is, and no other's
	Line int
	Text []byte
}

// swapped are the operators that stand for another one.
var swapped = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.SHL: {token.SHR}, token.SHR: {token.SHL},
}

// Of returns all mutants of a solution, in the order of its lines. Some do not
// compile.
func Of(name string, solution []byte) ([]Mutant, error) {
	m := &mutator{files: token.NewFileSet(), text: solution}
	file, err := parser.ParseFile(m.files, name, solution, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	m.marked = marked(solution)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			m.function = f.Name.Name
			ast.PreorderStack(f.Body, nil, m.visit)
		}
	}
	slices.SortStableFunc(m.mutants, func(a, b Mutant) int { return a.Line - b.Line })
	seen := map[string]int{}
	for i := range m.mutants {
		name := m.mutants[i].Name
		if seen[name]++; seen[name] > 1 {
			m.mutants[i].Name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
	}
	return m.mutants, nil
}

// marked are the lines that the learner writes, counted from 1 on.
func marked(text []byte) map[int]bool {
	lines, inside := map[int]bool{}, false
	for i, line := range bytes.Split(text, []byte("\n")) {
		switch string(bytes.TrimSpace(line)) {
		case "//workshop:solution":
			inside = true
		case "//workshop:end":
			inside = false
		default:
			lines[i+1] = inside
		}
	}
	return lines
}

type mutator struct {
	files    *token.FileSet
	text     []byte
	marked   map[int]bool
	function string
	mutants  []Mutant
}

func (m *mutator) visit(n ast.Node, above []ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		for _, op := range swapped[n.Op] {
			m.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), op.String(), n)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			m.replace(n.OpPos, n.OpPos+1, "", n)
		}
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
			var whole ast.Node = n
			if in, ok := above[len(above)-1].(ast.Expr); ok {
				whole = in
			}
			m.replace(n.Pos(), n.End(), fmt.Sprint(v+1), whole)
		}
	case *ast.IfStmt:
		m.condition(n.Cond)
	case *ast.CaseClause:
		for _, c := range n.List {
			if _, comparison := c.(*ast.BinaryExpr); comparison {
				m.condition(c)
			}
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt:
		m.remove(n)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			m.remove(n)
		}
	case *ast.ReturnStmt:
		if len(n.Results) == 0 {
			m.remove(n)
		}
	}
	return true
}

// condition makes a condition always true, and always false, but has it still
// use what it uses.
func (m *mutator) condition(c ast.Expr) {
	text := m.source(c)
	m.replace(c.Pos(), c.End(), "("+text+") || true", c)
	m.replace(c.Pos(), c.End(), "("+text+") && false", c)
}

func (m *mutator) remove(n ast.Node) { m.replace(n.Pos(), n.End(), "", n) }

// replace adds the mutant in which the text from one position to another is
// something else; whole is what a reader has to see to know where.
func (m *mutator) replace(from, to token.Pos, by string, whole ast.Node) {
	begin, end := m.files.Position(from), m.files.Position(to)
	if !m.marked[begin.Line] {
		return
	}
	change := fmt.Sprintf("%q becomes %q", m.text[begin.Offset:end.Offset], by)
	if by == "" {
		change = fmt.Sprintf("%q is left out", m.text[begin.Offset:end.Offset])
	}
	name := fmt.Sprintf("%s: %s in %s", m.function, change, m.source(whole))
	if m.source(whole) == string(m.text[begin.Offset:end.Offset]) {
		name = fmt.Sprintf("%s: %s", m.function, change)
	}
	text := slices.Concat(m.text[:begin.Offset], []byte(by), m.text[end.Offset:])
	m.mutants = append(m.mutants, Mutant{Name: strings.Join(strings.Fields(name), " "), Line: begin.Line, Text: text})
}

func (m *mutator) source(n ast.Node) string {
	return string(m.text[m.files.Position(n.Pos()).Offset:m.files.Position(n.End()).Offset])
}
