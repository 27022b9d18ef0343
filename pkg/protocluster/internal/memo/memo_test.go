package memo_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/memo"
)

func TestMemo(t *testing.T) {
	made := 0
	m := memo.New(2, strings.ToLower, func(s string) *string { made++; return &s })
	a := m.Get("A")
	if m.Get("a") != a || *a != "A" || made != 1 {
		t.Errorf("%q was made %d times, want A once", *a, made)
	}
	b := m.Get("b")
	if m.Get("A") != a || m.Get("B") != b || made != 2 {
		t.Errorf("%d were made, want 2", made)
	}
	if m.Get("c"); m.Get("a") == a || made != 4 {
		t.Errorf("%d were made, want 4: two are remembered", made)
	}
}

func TestMemo_TheSameForAll(t *testing.T) {
	m := memo.New(8, func(i int) int { return i }, func(i int) *int { return &i })
	got := make([]*int, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = m.Get(7) })
	}
	wg.Wait()
	for _, p := range got {
		if p != got[0] {
			t.Error("two were made of one thing")
		}
	}
}
