package suite

import "testing"

func TestFull(t *testing.T) {
	broken := []*Result{{Ended: Broken}}
	for _, row := range []struct {
		name, text string
		want       bool
	}{
		{"the compiler says so", "compile: writing output: write $WORK/b126/_pkg_.a: no space left on device\n", true},
		{"so does Windows", "There is not enough space on the disk.", true},
		{"something else does not compile", "one.go:1:1: bad", false},
	} {
		if got := full(t.Context(), broken, nil, []byte(row.text)); got != row.want {
			t.Errorf("%s: full = %v, want %v", row.name, got, row.want)
		}
	}
}
