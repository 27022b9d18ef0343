package referee_test

import (
	"errors"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
)

func TestStorage_RefusesOlderTokens(t *testing.T) {
	s := referee.NewStorage()
	a, b := activation("a"), activation("b")
	for _, row := range []struct {
		by    referee.Activation
		value int64
		stale bool
	}{{a, 1, false}, {a, 2, false}, {b, 3, false}, {a, 4, true}, {b, 5, false}} {
		err := s.Save(row.by, row.value)
		if _, stale := errors.AsType[*referee.StaleError](err); stale != row.stale || !stale && err != nil {
			t.Errorf("%v saves %d: %v, want stale: %v", row.by, row.value, err, row.stale)
		}
	}
	if got := s.Load("x"); got != 5 {
		t.Errorf("the register is %d, want 5", got)
	}
	if got := s.Load("y"); got != 0 {
		t.Errorf("a register that nobody wrote is %d, want 0", got)
	}
	if got := s.Clashes(); len(got) > 0 {
		t.Errorf("clashes %v, want none", got)
	}
}

func TestStorage_NotesTwoActivationsWithOneToken(t *testing.T) {
	s := referee.NewStorage()
	a := activation("a")
	twin := a
	twin.Name = "twin"
	for _, by := range []referee.Activation{a, twin} {
		if err := s.Save(by, 1); err != nil {
			t.Error(err)
		}
	}
	if got := s.Clashes(); len(got) != 1 {
		t.Errorf("clashes %v, want one", got)
	}
}
