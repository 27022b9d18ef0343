package sealedview_test

import (
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func TestParams_Defaults(t *testing.T) {
	p := sealedview.Defaults()
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	if got := p.Term().Round(time.Millisecond); got != 960*time.Millisecond {
		t.Errorf("Term = %v, want 960ms: T1 for a lease of 1s", got)
	}
	if p.Outlast(time.Second) < time.Second*101/99 || p.Stale() <= p.Fresh() {
		t.Errorf("Outlast(1s) = %v, Stale = %v, Fresh = %v", p.Outlast(time.Second), p.Stale(), p.Fresh())
	}
}

func TestParams_CheckNamesAllFaults(t *testing.T) {
	err := sealedview.Params{Drift: 1, Margin: -1, Suspect: time.Hour, Lease: time.Second}.Check()
	for _, want := range []string{"drift of 1", "negative", "at least 1ms", "suspected after 1h", "settled after 0s", "two leases (2s)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check = %v, want it to say %q", err, want)
		}
	}
}
