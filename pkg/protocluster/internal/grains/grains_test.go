package grains_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/grains"
)

func TestID(t *testing.T) {
	rows := []struct{ kind, name, want string }{
		{"user", "1", "grain/user/1"},
		{"user", "a/b", "grain/user/a%2Fb"},
		{"user", "a%2Fb", "grain/user/a%252Fb"},
		{"user", "ü", "grain/user/%C3%BC"},
		{"user", "\xff", "grain/user/%FF"},
		{"", "", "grain//"},
	}
	for _, row := range rows {
		id := grains.ID(row.kind, row.name)
		if id != row.want {
			t.Errorf("ID(%q, %q) = %q, want %q", row.kind, row.name, id, row.want)
		}
		if kind, name, ok := grains.Parse(id); kind != row.kind || name != row.name || !ok {
			t.Errorf("Parse(%q) = %q, %q, %v", id, kind, name, ok)
		}
		for _, other := range rows { // no two share an id
			if got, want := grains.Is(id, other.kind, other.name), other == row; got != want {
				t.Errorf("Is(%q, %q, %q) = %v, want %v", id, other.kind, other.name, got, want)
			}
		}
	}
}

func TestParse_RefusesOthers(t *testing.T) {
	for _, id := range []string{"", "user/1", "grain/user/a/b", "grain/user/%2", "$future-1"} {
		if kind, name, ok := grains.Parse(id); ok {
			t.Errorf("Parse(%q) = %q, %q, want that it is none", id, kind, name)
		}
	}
	if grains.Is("", "", "") || grains.Is("grain/user/A", "user", "%41") || grains.Is("grain/user/%41", "user", "A") {
		t.Error("Is holds for an id that ID does not make")
	}
}

func TestIs_AllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { grains.Is("grain/user/4711", "user", "4711") }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
