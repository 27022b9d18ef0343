package mutate_test

import (
	"go/format"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/mutate"
)

const solution = `package x

func supplied(n int) bool { return n < 7 }

func F(n int) int {
	//workshop:solution
	if n < 3 && !supplied(n) {
		n = 1
		n++
		n++
	}
	return n
	//workshop:end
}
`

func TestOf(t *testing.T) {
	mutants, err := mutate.Of("x.go", []byte(solution))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		got = append(got, m.Name)
		if _, err := format.Source(m.Text); err != nil {
			t.Errorf("%s is no Go: %v\n%s", m.Name, err, m.Text)
		}
		if string(m.Text) == solution || !strings.Contains(string(m.Text), "n < 7") {
			t.Errorf("%s changes nothing, or what is supplied", m.Name)
		}
	}
	want := []string{
		`F: "n < 3 && !supplied(n)" becomes "(n < 3 && !supplied(n)) || true"`,
		`F: "n < 3 && !supplied(n)" becomes "(n < 3 && !supplied(n)) && false"`,
		`F: "&&" becomes "||" in n < 3 && !supplied(n)`,
		`F: "<" becomes "<=" in n < 3`,
		`F: "<" becomes ">=" in n < 3`,
		`F: "3" becomes "4" in n < 3`,
		`F: "!" is left out in !supplied(n)`,
		`F: "n = 1" is left out`,
		`F: "1" becomes "2"`,
		`F: "n++" is left out`,
		`F: "n++" is left out (2)`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("mutants:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
