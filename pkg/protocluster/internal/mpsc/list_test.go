package mpsc_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
)

func TestList(t *testing.T) {
	var l mpsc.List[int]
	for i := range 4 {
		if !l.Push(i) {
			t.Errorf("Push(%d) = false, want true", i)
		}
	}
	for want := range 2 {
		if got, ok := l.Pop(); got != want || !ok {
			t.Errorf("Pop() = %d, %v, want %d", got, ok, want)
		}
	}
	l.Push(9)
	if all := l.Take(); len(all) != 3 || all[2] != 9 {
		t.Errorf("Take() = %v, want [2 3 9]", all)
	}
	for i := 2; i < 4; i++ {
		if !l.Push(i) {
			t.Errorf("Push(%d) after Take = false, want true", i)
		}
	}
	if rest := l.Close(); len(rest) != 2 || rest[0] != 2 || rest[1] != 3 {
		t.Errorf("Close() = %v, want [2 3]", rest)
	}
	if l.Push(4) {
		t.Error("Push to a closed list = true, want false")
	}
	if got, ok := l.Pop(); ok {
		t.Errorf("Pop() of an empty list = %d, want none", got)
	}
}
