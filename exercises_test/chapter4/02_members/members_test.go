package members_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	members "github.com/protocluster/workshop/chapters/chapter4/02_members"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// heard is an event as the tests write it: node n1 is at address a in its first
// life.
func heard(id string, life uint64, status cluster.Status, address string) members.Event {
	return members.Event{Member: cluster.Member{ID: id, Address: address, Kinds: []string{"user"}, Status: status}, Incarnation: life}
}

func text(e members.Event) string { return fmt.Sprintf("%s.%d %v", e.ID, e.Incarnation, e.Status) }

// watched is a view, and what its watchers were told.
type watched struct {
	s    *story.Story
	name string // of whoever has the view
	view members.View
	told []string
}

// hear applies events and notes what became of them.
func (w *watched) hear(events ...members.Event) {
	for _, e := range events {
		changes, err := w.view.Apply(e)
		if err != nil {
			w.s.Need(w.s.Did("Apply("+text(e)+")", err), story.Failure{
				Happened: "Apply refused an event that says something of a node with an ID, in a status that exists.",
				Lesson:   "Whatever says nothing new is no error: it is ignored.", Read: "what-to-write",
			})
		}
		note := text(e)
		for _, c := range changes {
			what := "joined"
			if c.Left {
				what = "left"
			}
			w.told = append(w.told, fmt.Sprintf("%s.%d %s", c.Member.ID, c.Incarnation, what))
			note += ", tells: " + w.told[len(w.told)-1]
		}
		w.s.Note(w.name, "%s", note)
	}
}

// sees is the view as text.
func (w *watched) sees() string {
	var all []string
	for _, m := range w.view.Members() {
		all = append(all, fmt.Sprintf("%s %v at %s", m.ID, m.Status, m.Address))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// expect fails unless the view is want.
func (w *watched) expect(want string, f story.Failure) {
	if got := w.sees(); got != want {
		f.Got, f.Want = got, want
		w.s.Fatal(f)
	}
}

func TestApply_EachStatusIsSeen(t *testing.T) {
	s := story.Begin(t, "A node is seen joining, up and leaving, in this order, and not at all when it is down.")
	w := &watched{s: s}
	for _, row := range []struct {
		status cluster.Status
		want   string
	}{
		{cluster.Joining, "[n1 joining at a]"}, {cluster.Up, "[n1 up at a]"}, {cluster.Leaving, "[n1 leaving at a]"}, {cluster.Down, "[]"},
	} {
		w.hear(heard("n1", 1, row.status, "a"))
		w.expect(row.want, story.Failure{
			Happened: fmt.Sprintf("The view is wrong after n1 was heard to be %v.", row.status),
			Lesson:   "Members has who is in the cluster, with the newest status. Who is down is not in it.", Read: "what-to-write",
		})
	}
	w.hear(heard("n3", 1, cluster.Up, "c"), heard("n2", 1, cluster.Up, "b"))
	w.expect("[n2 up at b, n3 up at c]", story.Failure{
		Happened: "Two nodes joined, n3 before n2.", Lesson: "Members are sorted by ID, so that two views are the same if they know the same.", Read: "what-to-write",
	})
}

// A restart, told by five events that may come in 120 orders.
func TestApply_AnyOrderGivesOneView(t *testing.T) {
	s := story.Begin(t, "Whatever the order in which five events come, the view is the same.")
	events := []members.Event{
		heard("n1", 1, cluster.Up, "a"), heard("n1", 1, cluster.Leaving, "a"), heard("n1", 1, cluster.Down, "a"),
		heard("n1", 2, cluster.Joining, "b"), heard("n1", 2, cluster.Up, "b"),
	}
	for i, order := range permutations(len(events)) {
		w := &watched{s: s, name: fmt.Sprint("order ", i+1)}
		for _, k := range order {
			w.hear(events[k])
		}
		w.expect("[n1 up at b]", story.Failure{
			Misconception: "trusts-arrival-order",
			Happened:      fmt.Sprintf("n1 left and came back at b. The events came as %s.", sequence(events, order)),
			Lesson:        "The network keeps no order between two senders. What makes one event newer than another has to be in the events.",
			Read:          "newer",
		})
	}
}

func TestApply_ALateEventRevivesNobody(t *testing.T) {
	s := story.Begin(t, "A life that is over stays over, whatever is still heard of it.")
	w := &watched{s: s}
	w.hear(heard("n1", 1, cluster.Up, "a"), heard("n2", 1, cluster.Up, "b"), heard("n1", 1, cluster.Down, "a"))
	w.expect("[n2 up at b]", story.Failure{Happened: "n1 is down, and n2 is up.", Lesson: "Members has who is in the cluster.", Read: "what-to-write"})
	w.hear(heard("n1", 1, cluster.Leaving, "a"), heard("n1", 1, cluster.Up, "a"))
	w.expect("[n2 up at b]", story.Failure{
		Misconception: "forgets-the-dead",
		Happened:      "n1 was down. Then two late events of the same life arrived, and it was back.",
		Lesson:        "To know that a message is old, you have to remember something newer. Forgetting the dead is what lets them return.",
		Read:          "the-dead",
	})
}

func TestApply_ARestartIsANewLife(t *testing.T) {
	s := story.Begin(t, "A node that starts again is back, and nothing of its former life counts any more.")
	w := &watched{s: s}
	w.hear(heard("n1", 1, cluster.Up, "a"), heard("n1", 1, cluster.Down, "a"), heard("n1", 2, cluster.Joining, "a"), heard("n1", 2, cluster.Up, "a"))
	w.expect("[n1 up at a]", story.Failure{
		Misconception: "down-is-for-ever",
		Happened:      "n1 went down and was started again, and nobody sees it.",
		Lesson:        "Down is the end of one life, not of the name. The incarnation tells two lives apart.", Read: "newer",
	})
	w.hear(heard("n1", 1, cluster.Down, "a"), heard("n1", 1, cluster.Leaving, "a"))
	w.expect("[n1 up at a]", story.Failure{
		Misconception: "down-is-for-ever",
		Happened:      "What was still under way about the first life of n1 ended the second.",
		Lesson:        "An event of an old incarnation says nothing about the present one.", Read: "newer",
	})
}

func TestApply_AnAddressIsNoName(t *testing.T) {
	s := story.Begin(t, "Two nodes are two members, also if the second was started at the first one's address.")
	w := &watched{s: s}
	w.hear(heard("n1", 1, cluster.Up, "a"), heard("n2", 1, cluster.Up, "a"), heard("n1", 1, cluster.Leaving, "a"))
	f := story.Failure{
		Misconception: "address-is-identity",
		Happened:      "n2 was started at address a while n1 was still known there.",
		Lesson:        "Ports and container addresses are used again within seconds. What happens to n1 must not happen to n2.",
		Read:          "names-and-addresses",
	}
	w.expect("[n1 leaving at a, n2 up at a]", f)
	w.hear(heard("n1", 1, cluster.Down, "a"))
	w.expect("[n2 up at a]", f)
	w.hear(heard("n2", 2, cluster.Up, "b"))
	f.Happened = "n2 was started again, at another address."
	w.expect("[n2 up at b]", f)
}

func TestApply_TellsEachChangeOnce(t *testing.T) {
	s := story.Begin(t, "Watchers are told once that a node joined and once that it left, however often it is heard.")
	w := &watched{s: s}
	up, leaving, down := heard("n1", 1, cluster.Up, "a"), heard("n1", 1, cluster.Leaving, "a"), heard("n1", 1, cluster.Down, "a")
	w.hear(heard("n1", 1, cluster.Joining, "a"), up, up, up, leaving, up, leaving, down, down, leaving)
	w.hear(heard("n2", 1, cluster.Joining, "b"), heard("n2", 1, cluster.Down, "b"))
	w.hear(heard("n3", 1, cluster.Up, "c"), heard("n3", 2, cluster.Up, "c"), heard("n3", 1, cluster.Down, "c"))
	want := "n1.1 joined; n1.1 left; n3.1 joined; n3.1 left; n3.2 joined"
	if got := strings.Join(w.told, "; "); got != want {
		s.Fatal(story.Failure{
			Misconception: "joins-each-time",
			Happened:      "n1 came and went, n2 never got up, and n3 was started twice. Watchers were told something else.",
			Got:           got, Want: want,
			Lesson: "A watcher opens a connection when somebody joins, and closes it when he leaves. Compare what you knew with what you know.",
			Read:   "once",
		})
	}
}

func TestApply_RefusesNonsense(t *testing.T) {
	s := story.Begin(t, "An event of nobody, or of a status that does not exist, is an error and changes nothing.")
	w := &watched{s: s}
	w.hear(heard("n1", 1, cluster.Up, "a"))
	for _, e := range []members.Event{heard("", 1, cluster.Up, "a"), heard("n1", 2, cluster.Down+1, "a")} {
		if _, err := w.view.Apply(e); err == nil {
			s.Fatal(story.Failure{
				Misconception: "every-event-is-sound",
				Happened:      fmt.Sprintf("Apply took an event of node %q with status number %d.", e.ID, e.Status), Got: "no error", Want: "an error",
				Lesson: "Events come from other processes, of other releases. Whoever believes all of it is down when one of them is.",
				Read:   "what-to-write",
			})
		}
		w.expect("[n1 up at a]", story.Failure{
			Misconception: "every-event-is-sound", Happened: "An event that was refused changed the view.", Lesson: "Check before you write.", Read: "what-to-write",
		})
	}
}

// lives are the events of some nodes that start and end as r has it.
func lives(r *rand.Rand) []members.Event {
	var events []members.Event
	for n := range 4 {
		for life := range 1 + r.Uint64N(3) {
			last := cluster.Status(r.IntN(4))
			for status := cluster.Joining; status <= last; status++ {
				events = append(events, heard(fmt.Sprint("n", n+1), life+1, status, fmt.Sprint("a", r.IntN(3))))
			}
		}
	}
	// What is said twice of a node says the same.
	address := map[string]string{}
	for i, e := range events {
		key := fmt.Sprint(e.ID, e.Incarnation)
		if address[key] == "" {
			address[key] = e.Address
		}
		events[i].Address = address[key]
	}
	return events
}

func TestApply_ManyLivesGiveOneView(t *testing.T) {
	story.Seeds(t, 50, "Members that hear the same, each in its own order and some of it twice, agree in the end.", func(_ *testing.T, s *story.Story, r *rand.Rand) {
		events := lives(r)
		var first string
		for n := range 3 {
			w := &watched{s: s, name: fmt.Sprint("m", n+1)}
			heard := append(shuffled(r, events), shuffled(r, events)[:len(events)/2]...)
			w.hear(heard...)
			if n == 0 {
				first = w.sees()
			}
			w.expect(first, story.Failure{
				Misconception: "trusts-arrival-order",
				Happened:      fmt.Sprintf("m1 and m%d heard the same %d events and disagree.", n+1, len(events)),
				Lesson:        "Taking events in has to be like taking a maximum: neither order nor repetition may matter.", Read: "newer",
			})
		}
	})
}

// What is not guaranteed: that two members see the same now.
func TestLedger_ViewsDifferMeanwhile(t *testing.T) {
	story.Seeds(t, 10, "While news is under way, two members may see two different clusters.", func(_ *testing.T, s *story.Story, r *rand.Rand) {
		m1, m2 := &watched{s: s, name: "m1"}, &watched{s: s, name: "m2"}
		m1.hear(heard("n1", 1, cluster.Up, "a"))
		m2.hear(heard("n1", 1, cluster.Up, "a"))
		if r.IntN(2) == 0 {
			m1, m2 = m2, m1
		}
		m1.hear(heard("n1", 1, cluster.Down, "a"))
		if m1.sees() == m2.sees() {
			s.Fatal(story.Failure{Happened: "One member heard that n1 is down, the other did not, and both see the same.", Got: m2.sees(), Want: "[n1 up at a]",
				Lesson: "A view is what one member heard.", Read: "what-this-does-not-guarantee"})
		}
		s.Note("", "the view of one: %s; of the other: %s", m1.sees(), m2.sees())
	})
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			order := append(append(append([]int{}, shorter[:at]...), n-1), shorter[at:]...)
			all = append(all, order)
		}
	}
	return all
}

func sequence(events []members.Event, order []int) string {
	var all []string
	for _, k := range order {
		all = append(all, text(events[k]))
	}
	return strings.Join(all, ", ")
}

func shuffled(r *rand.Rand, events []members.Event) []members.Event {
	all := append([]members.Event{}, events...)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
