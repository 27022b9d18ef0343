package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestSearch_TellsWhereAnIdentityIsAndWhatItDid(t *testing.T) {
	open(t, 3, func(g *gallery) {
		at := ""
		for range 12 {
			at = g.ask(user(123), secret).(string)
		}
		a := g.find(user(123))
		m := g.look().member(t, a.Stays[0].Name)
		if a.Identity != "user/123" || a.Where != at || a.Answer != "user/123 is on "+m.Name || len(a.Stays) != 1 || len(a.Unasked) != 0 {
			t.Fatalf("user/123 is %+v, want it at %s", a, at)
		}
		s := a.Stays[0]
		if !s.Lives || !s.Seen || s.Handled != 12 || len(s.Last) != 8 || s.Last[0].Type != "string" || s.Last[0].Outcome != "asked" {
			t.Errorf("its activation is %+v, want one that handled 12 strings, of which 8 are shown", s)
		}
		if !strings.HasPrefix(s.Token, s.Epoch+".") {
			t.Errorf("its token is %s in epoch %s", s.Token, s.Epoch)
		}
	})
}

func TestSearch_TellsWhyAnIdentityMoved(t *testing.T) {
	rows := []struct {
		name string
		move func(g *gallery, host int) //
		want []string                   // of the reason
		end  string
	}{
		{"its member died", func(g *gallery, host int) { g.Kill(host) }, []string{"moved because", "was out of the view in epoch"}, "not known"},
		{"its member left", func(g *gallery, host int) { g.Leave(host) }, []string{"moved because", "was told to leave in epoch"}, "handed over"},
		{"its member stood still", func(g *gallery, host int) { g.Pause(host) }, []string{"moved because", "was out of the view in epoch"}, "not known"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			open(t, 3, func(g *gallery) {
				g.ask(user(1), secret)
				before := g.find(user(1))
				host := g.NodeOf(g.client, user(1))
				row.move(g, host)
				testkit.Advance(5 * time.Second)
				g.ask(user(1), secret)
				a := g.find(user(1))
				if len(a.Stays) != 2 || a.Where == before.Where || a.Where == "" || a.Stays[1].Address != before.Where {
					t.Fatalf("user/1 is %+v, want it moved from %s", a, before.Where)
				}
				for _, want := range row.want {
					if !strings.Contains(a.Stays[0].Why, want) {
						t.Errorf("it moved: %q, want %q in it", a.Stays[0].Why, want)
					}
				}
				if !strings.Contains(a.Stays[1].End, row.end) {
					t.Errorf("the activation before ended: %q, want %q in it", a.Stays[1].End, row.end)
				}
			})
		})
	}
}

func TestSearch_TellsThatANewMemberTookItsShare(t *testing.T) {
	open(t, 1, func(g *gallery) {
		const n = 40
		g.visit(n)
		for i := range n {
			g.find(user(i))
		}
		g.add()
		testkit.Advance(3 * time.Second)
		moved := 0
		for id, address := range g.visit(n) {
			a := g.find(id)
			if a.Where != address {
				t.Errorf("%s answers from %s, and is found at %s", id, address, a.Where)
			}
			if address != testkit.NodeAddress(0) {
				moved++
				if len(a.Stays) != 2 || !strings.Contains(a.Stays[0].Why, "m3 joined in epoch") {
					t.Errorf("%s is %+v, want it moved because m3 joined", id, a)
				}
			}
		}
		if moved == 0 {
			t.Error("nothing moved to the new member")
		}
	})
}

func TestSearch_TellsHowActivationsEnded(t *testing.T) {
	open(t, 1, func(g *gallery) {
		g.ask(user(1), secret)
		if reply := g.ask(user(1), 1); reply != "stopping" {
			t.Fatalf("the reply is %v", reply)
		}
		testkit.Advance(time.Second)
		a := g.find(user(1))
		if a.Where != "" || a.Answer != "nobody hosts user/1; the first message to it has it activated" || len(a.Stays) != 1 || a.Stays[0].End != "stopped" {
			t.Errorf("user/1 is %+v, want that it stopped", a)
		}
		g.ask(user(1), secret)
		if a := g.find(user(1)); len(a.Stays) != 2 || !strings.Contains(a.Stays[0].Why, "started again on m1") {
			t.Errorf("user/1 is %+v, want that it started again", a)
		}
	})
}

func TestSearch_TellsOfAPanic(t *testing.T) {
	open(t, 1, func(g *gallery) {
		_, _ = g.client.Request(g.t.Context(), user(1), "panic")
		a := g.find(user(1))
		if len(a.Stays) != 1 || len(a.Stays[0].Last) != 1 || a.Stays[0].Last[0].Outcome != "panicked" {
			t.Errorf("user/1 is %+v, want that it panicked", a)
		}
	})
}

func TestSearch_WithoutItsMemberIsToldAsFarAsItIsKnown(t *testing.T) {
	open(t, 2, func(g *gallery) {
		g.ask(user(1), secret)
		before := g.find(user(1))
		g.Kill(g.NodeOf(g.client, user(1)))
		testkit.Advance(2 * time.Second)
		a := g.find(user(1))
		if want := "user/1 was on " + before.Stays[0].Name + ", which does not answer any more"; a.Answer != want || len(a.Unasked) != 1 {
			t.Errorf("user/1 is %+v, want %q", a, want)
		}
	})
}

func TestSearch_RefusesWhatIsNoIdentity(t *testing.T) {
	open(t, 1, func(g *gallery) {
		rows := []struct{ name, query, want string }{
			{"nothing", "", "write it as kind/identity"},
			{"no kind", "123", "write it as kind/identity"},
			{"no identity", "user/", "write it as kind/identity"},
			{"too long", "user/" + strings.Repeat("1", 1100), "at most 1024 bytes"},
		}
		for _, row := range rows {
			w := get(g.page, "/identity?q="+url.QueryEscape(row.query))
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), row.want) {
				t.Errorf("%s: status %d, %s; want %d and %q", row.name, w.Code, w.Body, http.StatusBadRequest, row.want)
			}
		}
	})
}

// Whatever is looked for, the page stays well, and shows it only as text.
func FuzzSearch(f *testing.F) {
	for _, q := range []string{"user/1", "user/<script>alert(1)</script>", "user/\xff\x00", "a/b/c", "user/" + strings.Repeat("ü", 600), "%", "\u2028/\u2028"} {
		f.Add(q)
	}
	page := lonelyPage()
	f.Fuzz(func(t *testing.T, q string) {
		for _, path := range []string{"/identity", "/"} {
			w := get(page, path+"?q="+url.QueryEscape(q))
			_, err := cluster.ParseIdentity(strings.TrimSpace(q))
			want := http.StatusOK
			if len(strings.TrimSpace(q)) > 1024 || err != nil {
				want = http.StatusBadRequest
			}
			if path == "/" && strings.TrimSpace(q) == "" {
				want = http.StatusOK
			}
			if w.Code != want {
				t.Errorf("status %d for %s of %q, want %d", w.Code, path, q, want)
			}
			if strings.Contains(w.Body.String(), "<script>") {
				t.Errorf("the page has a script for %q", q)
			}
		}
	})
}
