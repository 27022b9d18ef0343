package ledger_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/internal/ledger"
)

// notes are what a ledger has told.
type notes []string

func (n *notes) Began(c ledger.Claim) { *n = append(*n, c.Activation+" began") }
func (n *notes) Wrote(c, by ledger.Claim) {
	*n = append(*n, fmt.Sprint(c.Activation, " wrote under ", by.Activation))
}
func (n *notes) Refused(c, by ledger.Claim) {
	*n = append(*n, fmt.Sprint(c.Activation, " refused for ", by.Activation))
}

func claim(activation string, epoch uint64) ledger.Claim {
	return ledger.Claim{User: "123", Member: "m", Activation: activation, Epoch: epoch}
}

func TestLedger_RefusesWhoWasReplaced(t *testing.T) {
	var told notes
	server := httptest.NewServer(ledger.New(&told).Handler())
	defer server.Close()
	c := ledger.Dial(server.URL + "/")
	defer c.Close()
	ctx := t.Context()
	a, b := claim("a", 7), claim("b", 8)
	load := func(who ledger.Claim, want int64, wantErr error) {
		t.Helper()
		if got, err := c.Load(ctx, who); got != want || !errors.Is(err, wantErr) {
			t.Errorf("Load(%s) = %d, %v, want %d, %v", who.Activation, got, err, want, wantErr)
		}
	}
	save := func(who ledger.Claim, number int64, want error) {
		t.Helper()
		if err := c.Save(ctx, who, number); !errors.Is(err, want) {
			t.Errorf("Save(%s, %d) = %v, want %v", who.Activation, number, err, want)
		}
	}
	load(a, 0, nil)
	save(a, 1, nil)
	save(a, 1, nil) // once more, because the answer was lost
	save(a, 3, ledger.ErrStale)
	load(b, 1, nil)
	save(a, 2, ledger.ErrStale)
	load(a, 0, ledger.ErrStale)
	save(b, 2, nil)
	want := notes{"a began", "a wrote under a", "a wrote under a", "a refused for a", "b began", "a refused for b", "a refused for b", "b wrote under b"}
	if !slices.Equal(told, want) {
		t.Errorf("the ledger told %q, want %q", told, want)
	}
}

// Without tokens only the numbers tell who is out of date.
func TestLedger_WithoutTokensTheNextNumberDecides(t *testing.T) {
	var told notes
	l := ledger.New(&told)
	for _, activation := range []string{"a", "b"} {
		if _, err := l.Load(claim(activation, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		activation string
		number     int64
		want       error
	}{{"a", 1, nil}, {"b", 1, ledger.ErrStale}, {"b", 2, nil}, {"a", 2, ledger.ErrStale}} {
		if err := l.Save(claim(row.activation, 0), row.number); !errors.Is(err, row.want) {
			t.Errorf("Save(%s, %d) = %v, want %v", row.activation, row.number, err, row.want)
		}
	}
	if want := "a wrote under b"; told[2] != want {
		t.Errorf("the ledger told %q, want %q third", told, want)
	}
}

func TestLedger_BadRequests(t *testing.T) {
	l := ledger.New(new(notes))
	for body, want := range map[string]int{`{`: 400, `{}`: 400, `{"user":"` + strings.Repeat("1", 5000) + `"}`: 400, `{"user":"1"}`: 200} {
		w := httptest.NewRecorder()
		l.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/load", strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("status of %.20q = %d, want %d", body, w.Code, want)
		}
	}
	c := ledger.Dial("http://127.0.0.1:1")
	if _, err := c.Load(t.Context(), claim("a", 1)); err == nil || errors.Is(err, ledger.ErrStale) {
		t.Errorf("Load from nobody = %v, want an error that is not ErrStale", err)
	}
}
