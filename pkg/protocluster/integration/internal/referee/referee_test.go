package referee_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
)

func start(t *testing.T, journal io.Writer) *referee.Referee {
	t.Helper()
	r, err := referee.Start(t.Context(), workers, journal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func approach(t *testing.T, r *referee.Referee, process string) *referee.Desk {
	t.Helper()
	d, err := referee.Approach(t.Context(), r.Address(), process)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestReferee_HearsWhatDesksReport(t *testing.T) {
	var journal bytes.Buffer
	r := start(t, &journal)
	a, b := activation("a"), activation("b")
	first, second, client := approach(t, r, "pa"), approach(t, r, "pb"), approach(t, r, "client")
	stale := referee.Operation{Reply: referee.Reply{Activation: a, Sent: ms(41), Came: ms(50)}, Verb: referee.Read, Outcome: referee.Answered}
	lost := referee.Operation{Verb: referee.Write, Value: 3, Outcome: referee.Unknown}
	for _, err := range []error{
		first.Enter(referee.Entry{Activation: a, At: ms(10)}),
		first.Exit(referee.Exit{Identity: "x", Name: "a", At: ms(11)}),
		first.Enter(referee.Entry{Activation: a, At: ms(45), Number: 1}),
		second.Enter(referee.Entry{Activation: b, At: ms(40)}),
		client.Operated(stale), client.Operated(lost),
		r.Settle(t.Context(), "pa", first.Noted()), r.Settle(t.Context(), "pb", 1), r.Settle(t.Context(), "client", 2),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := rules(r.Judge()); got != "overlap, stale reply" {
		t.Errorf("broken rules = %q, want overlap, stale reply", got)
	}
	if got, want := r.History(), []referee.Operation{stale, lost}; !slices.Equal(got, want) {
		t.Errorf("history %+v, want %+v", got, want)
	}
	if got := r.History(); len(got) > 0 {
		t.Errorf("history %+v was told twice", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Count(journal.String(), "\n"); got != 6 {
		t.Errorf("%d lines in the journal, want 6:\n%s", got, &journal)
	}
}

func TestReferee_KeepsRegisters(t *testing.T) {
	r := start(t, io.Discard)
	a, b := activation("a"), activation("b")
	d := approach(t, r, "pa")
	for _, by := range []referee.Activation{a, b} {
		if err := d.Save(t.Context(), by, int64(by.Token.Counter)); err != nil {
			t.Fatal(err)
		}
	}
	stale, ok := errors.AsType[*referee.StaleError](d.Save(t.Context(), a, 1))
	if !ok || stale.Newest != b.Token {
		t.Errorf("an older activation saves: %v, want a StaleError that names %v", stale, b.Token)
	}
	if got, err := d.Load(t.Context(), "x"); got != 'b' || err != nil {
		t.Errorf("the register is %d (%v), want %d", got, err, 'b')
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Load(ended, "x"); err == nil {
		t.Error("a context that has ended does not end a call")
	}
	if got, err := d.Load(t.Context(), "x"); got != 'b' || err != nil {
		t.Errorf("after a call that was given up, the register is %d (%v), want %d", got, err, 'b')
	}
}

func TestReferee_SettleEndsWithItsContext(t *testing.T) {
	r := start(t, io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := r.Settle(ctx, "nobody", 1)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settle: %v, want a deadline exceeded", err)
	}
}

func TestReferee_ToldNonsenseSaysSo(t *testing.T) {
	r := start(t, io.Discard)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "{\"process\":\"p\"}\nnonsense\n{\"load\":\"x\"}\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer to what came after it
		t.Fatal(err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), `p says "nonsense\n"`) {
		t.Errorf("Close: %v, want what p said", err)
	}
}

func TestNow_Runs(t *testing.T) {
	before := referee.Now()
	if after := referee.Now(); before <= 0 || after < before {
		t.Errorf("Now says %v, then %v", before, after)
	}
}
