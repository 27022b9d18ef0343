package backoff_test

import (
	"math"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
)

func TestDelay(t *testing.T) {
	const last = 70 * time.Millisecond
	for failures, want := range map[int]time.Duration{
		0: 10 * time.Millisecond, 1: 10 * time.Millisecond, 2: 20 * time.Millisecond, 3: 40 * time.Millisecond,
		4: last, 1000: last, math.MaxInt: last,
	} {
		if got := backoff.Delay(failures, 10*time.Millisecond, last); got != want {
			t.Errorf("after %d failures the delay is %v, want %v", failures, got, want)
		}
	}
	if got := backoff.Delay(math.MaxInt, 0, last); got != 0 {
		t.Errorf("without a first delay the last is %v, want none", got)
	}
	if got := backoff.Delay(math.MaxInt, time.Second, math.MaxInt64); got != math.MaxInt64 {
		t.Errorf("without a bound the delay ends at %v, want the longest there is", got)
	}
	if got := backoff.Delay(1, time.Second, last); got != last {
		t.Errorf("the first delay is %v, want at most %v", got, last)
	}
}

func TestHalf(t *testing.T) {
	least, greatest := time.Hour, time.Duration(0)
	for range 10_000 {
		d := backoff.Half(100)
		least, greatest = min(least, d), max(greatest, d)
	}
	if least < 50 || greatest > 100 || least == greatest {
		t.Errorf("the half of 100 ns is between %d and %d ns, want from 50 to 100 ns", least, greatest)
	}
	if d := backoff.Half(0); d != 0 {
		t.Errorf("the half of nothing is %v, want nothing", d)
	}
}
