package referee_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
)

const workers = 2

// story is a history of identity "x" for a Ledger, in milliseconds.
type story struct{ *referee.Ledger }

// activation is that of a name, whose letter is also its token's counter.
func activation(name string) referee.Activation {
	return referee.Activation{Identity: "x", Name: name, Token: referee.Token{Epoch: 7, Counter: uint64(name[0])}, Process: "p" + name}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// enters has the activation enter its handlers at those instants, the first
// being that it is started.
func (s story) enters(a referee.Activation, at ...int) story {
	for i, at := range at {
		s.Enter(referee.Entry{Activation: a, At: ms(at), Number: uint64(i)})
	}
	return s
}

func (s story) exits(a referee.Activation, number uint64, at int) story {
	s.Exit(referee.Exit{Identity: a.Identity, Name: a.Name, Number: number, At: ms(at)})
	return s
}

func (s story) replies(a referee.Activation, sent, came int) story {
	s.Accept(referee.Reply{Activation: a, Sent: ms(sent), Came: ms(came)})
	return s
}

func (s story) stands(process string, from, to int) story {
	s.Stand(referee.Pause{Process: process, From: ms(from), To: ms(to)})
	return s
}

func TestLedger(t *testing.T) {
	a, b, c := activation("a"), activation("b"), activation("c")
	rows := []struct {
		name       string
		tell       func(s story)
		want       string // the rules that were broken
		stragglers int
	}{
		{name: "nothing", tell: func(story) {}},
		{name: "one after another", tell: func(s story) {
			s.enters(a, 10, 20, 30).enters(b, 40, 50).enters(c, 60).replies(a, 25, 31).replies(b, 45, 70).replies(c, 61, 62)
		}},
		{name: "told in any order", tell: func(s story) {
			s.enters(c, 60).replies(b, 45, 70).enters(b, 40, 50).enters(a, 10, 20, 30).replies(a, 25, 31)
		}},
		{name: "a handler that goes on", tell: func(s story) {
			s.enters(a, 10, 20).enters(b, 40).exits(a, 1, 90)
		}},
		{name: "a reply to a request made before", tell: func(s story) {
			s.enters(a, 10, 20).enters(b, 40).replies(a, 39, 50)
		}},
		{name: "given a message after another began", tell: func(s story) {
			s.enters(a, 10, 20, 45).enters(b, 40)
		}, want: "overlap"},
		{name: "given a message after another came and went", tell: func(s story) {
			s.enters(a, 10, 20, 90).enters(b, 40, 50).enters(c, 60)
		}, want: "overlap, overlap"},
		{name: "given a message when another began", tell: func(s story) {
			s.enters(a, 10, 40).enters(b, 40)
		}, want: "overlap"},
		{name: "started at the same instant", tell: func(s story) {
			s.enters(a, 40).enters(b, 40)
		}, want: "overlap"},
		{name: "lower token later", tell: func(s story) {
			s.enters(b, 10, 20).enters(a, 40)
		}, want: "token order"},
		{name: "same token", tell: func(s story) {
			twin := b
			twin.Name = "twin"
			s.enters(b, 10, 20).enters(twin, 40)
		}, want: "token order"},
		{name: "no token after one", tell: func(s story) {
			bare := activation("bare")
			bare.Token = referee.Token{}
			s.enters(a, 10).enters(bare, 40)
		}, want: "token order"},
		{name: "no tokens at all", tell: func(s story) {
			bare, other := activation("bare"), activation("other")
			bare.Token, other.Token = referee.Token{}, referee.Token{}
			s.enters(bare, 10).enters(other, 40)
		}},
		{name: "token that changes", tell: func(s story) {
			other := a
			other.Token.Epoch++
			s.enters(a, 10, 20).Enter(referee.Entry{Activation: other, At: ms(30), Number: 2})
		}, want: "one token"},
		{name: "token that changes in a reply", tell: func(s story) {
			other := a
			other.Token.Epoch++
			s.enters(a, 10, 20).replies(other, 25, 31)
		}, want: "one token"},
		{name: "two messages at a time", tell: func(s story) {
			s.enters(a, 10, 20, 30).exits(a, 1, 35)
		}, want: "one at a time"},
		{name: "the same message number twice", tell: func(s story) {
			s.enters(a, 10, 20).Enter(referee.Entry{Activation: a, At: ms(30), Number: 1})
		}, want: "one at a time"},
		{name: "reply to a request made after another began", tell: func(s story) {
			s.enters(a, 10, 20).enters(b, 40).replies(a, 41, 50)
		}, want: "stale reply"},
		{name: "reply of nobody", tell: func(s story) {
			s.enters(a, 10).replies(b, 41, 50)
		}, want: "stranger"},
		{name: "straggler", tell: func(s story) {
			s.enters(a, 10, 20, 105).enters(b, 40).stands("pa", 30, 100)
		}, stragglers: 1},
		{name: "straggler after two have begun", tell: func(s story) {
			s.enters(a, 10, 20, 105).enters(b, 40).enters(c, 50).stands("pa", 30, 100)
		}, stragglers: 1},
		{name: "started by a straggler", tell: func(s story) {
			s.enters(a, 105).enters(b, 40, 110).stands("pa", 30, 100).replies(b, 108, 111)
		}, stragglers: 1},
		{name: "started by a straggler, and given a message", tell: func(s story) {
			s.enters(a, 105, 106).enters(b, 40).stands("pa", 30, 100)
		}, want: "token order"},
		{name: "started by a straggler with a higher token", tell: func(s story) {
			s.enters(b, 105).enters(a, 40, 110).stands("pb", 30, 100)
		}, want: "overlap"},
		{name: "started late in a process that was not paused", tell: func(s story) {
			s.enters(a, 105).enters(b, 40).stands("pb", 30, 100)
		}, want: "token order"},
		{name: "second message after the pause", tell: func(s story) {
			s.enters(a, 10, 20, 105, 106).enters(b, 40).stands("pa", 30, 100)
		}, want: "overlap", stragglers: 1},
		{name: "message long after the pause", tell: func(s story) {
			s.enters(a, 10, 20, 700).enters(b, 40).stands("pa", 30, 100)
		}, want: "overlap"},
		{name: "message after a handler that was paused", tell: func(s story) {
			s.enters(a, 10, 20, 105).exits(a, 1, 104).enters(b, 40).stands("pa", 30, 100)
		}, want: "overlap"},
		{name: "message after another process was paused", tell: func(s story) {
			s.enters(a, 10, 20, 105).enters(b, 40).stands("pb", 30, 100)
		}, want: "overlap"},
		{name: "message after a pause that began too late", tell: func(s story) {
			s.enters(a, 10, 20, 105).enters(b, 40).stands("pa", 50, 100)
		}, want: "overlap"},
		{name: "message in a pause", tell: func(s story) {
			s.enters(a, 10, 20, 90).enters(b, 40).stands("pa", 30, 100)
		}, want: "overlap"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := story{referee.NewLedger(workers)}
			row.tell(s)
			verdict := s.Judge()
			if got := rules(verdict); got != row.want {
				t.Errorf("broken rules = %q, want %q: %v", got, row.want, verdict.Violations)
			}
			if got := len(verdict.Stragglers); got != row.stragglers {
				t.Errorf("%d stragglers, want %d: %v", got, row.stragglers, verdict.Stragglers)
			}
		})
	}
}

func rules(v referee.Verdict) string {
	var rules []string
	for _, v := range v.Violations {
		rules = append(rules, string(v.Rule))
	}
	return strings.Join(rules, ", ")
}

func TestLedger_ExcusesAsManyStragglersAsAProcessHasWorkers(t *testing.T) {
	l := referee.NewLedger(workers)
	for i := range workers + 1 {
		a, b := activation("a"), activation("b")
		a.Identity, b.Identity = fmt.Sprint(i), fmt.Sprint(i)
		a.Name, b.Name = fmt.Sprint("a", i), fmt.Sprint("b", i)
		story{l}.enters(a, 10, 20, 105).enters(b, 40)
	}
	story{l}.stands("pa", 30, 100)
	verdict := l.Judge()
	if len(verdict.Stragglers) != workers || rules(verdict) != "overlap" {
		t.Errorf("%d stragglers and %q, want %d and one overlap", len(verdict.Stragglers), rules(verdict), workers)
	}
}

func TestLedger_JudgesAgainWhatItKnows(t *testing.T) {
	s := story{referee.NewLedger(workers)}
	a, b := activation("a"), activation("b")
	s.enters(a, 10, 20).replies(a, 15, 21)
	if v := s.Judge(); len(v.Violations) > 0 || v.Identities != 1 || v.Activations != 1 || v.Entries != 2 || v.Replies != 1 {
		t.Errorf("the verdict is %+v, want one identity, one activation, two entries and a reply", v)
	}
	s.enters(b, 19)
	for range 2 {
		if got := rules(s.Judge()); got != "overlap" {
			t.Errorf("broken rules = %q, want overlap", got)
		}
	}
}

func TestViolation_SaysWhoWhenAndByHowMuch(t *testing.T) {
	s := story{referee.NewLedger(workers)}
	s.enters(activation("a"), 10, 45).enters(activation("b"), 40)
	want := "overlap of x at 45ms: message 1 of a in pa with token 7.97, 5ms after b in pb with token 7.98 had begun"
	if got := fmt.Sprint(s.Judge().Violations); got != "["+want+"]" {
		t.Errorf("the violation says %s, want [%s]", got, want)
	}
}

// A reply may be heard of before the entry that it answers.
func TestLedger_JudgesRepliesThatCameFirst(t *testing.T) {
	l := referee.NewLedger(1)
	a, b := activation("a"), activation("b")
	l.Accept(referee.Reply{Activation: a, Sent: ms(41), Came: ms(50)})
	if got := rules(l.Judge()); got != "stranger" {
		t.Errorf("broken rules = %q, want stranger, as nothing is known of the activation", got)
	}
	l.Enter(referee.Entry{Activation: a, At: ms(10)})
	l.Enter(referee.Entry{Activation: b, At: ms(40)})
	if got := rules(l.Judge()); got != "stale reply" {
		t.Errorf("broken rules = %q, want stale reply", got)
	}
}
