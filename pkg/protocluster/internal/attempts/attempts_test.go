package attempts_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/attempts"
)

func TestAdd(t *testing.T) {
	var all []attempts.Attempt
	add := func(address string, at time.Duration, text string) {
		all = attempts.Add(all, "", address, at, errors.New(text))
	}
	add("a:1", time.Second, "full")
	add("a:1", 2*time.Second, "full")
	add("", 3*time.Second, "gone")
	want := "; tried: a:1 (2 times from 1s to 2s: full), to find it (at 3s)"
	if got := attempts.Text(all, fmt.Errorf("the end: %w", errors.New("gone"))); len(all) != 2 || got != want {
		t.Errorf("%d attempts: %q; want two: %q", len(all), got, want)
	}
	for i := range 100 {
		add("a:1", time.Minute, fmt.Sprint(i))
	}
	if len(all) != 16 || all[15].Err.Error() != "99" || all[0].Err.Error() != "84" {
		t.Errorf("%d attempts from %v to %v, want the last 16", len(all), all[0].Err, all[len(all)-1].Err)
	}
}
