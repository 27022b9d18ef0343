package names_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
)

func TestTakers(t *testing.T) {
	var all names.Takers[int]
	if all.Take("a/b", 1) {
		t.Error("nobody has taken something")
	}
	var got []string
	for _, prefix := range []string{"a/", "a/b", "c/"} {
		all.Add(prefix, func(name string, e int) bool {
			got = append(got, fmt.Sprint(prefix, name, e))
			return e > 1 || prefix == "c/"
		})
	}
	if all.Take("a/b", 1) || !all.Take("a/b", 2) || !all.Take("c/", 1) || all.Take("d", 2) {
		t.Error("something was taken by the wrong one, or by none")
	}
	if want := "[a/a/b1 a/ba/b1 a/a/b2 c/c/1]"; fmt.Sprint(got) != want {
		t.Errorf("asked %v, want %v", got, want)
	}
}

func TestTakers_AtOnce(t *testing.T) {
	var all names.Takers[int]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			all.Add("a", func(_ string, e int) bool { return e == i })
			if !all.Take("a", i) {
				t.Errorf("nobody takes %d", i)
			}
		})
	}
	wg.Wait()
}
