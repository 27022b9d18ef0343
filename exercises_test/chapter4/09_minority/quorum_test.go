package minority_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	minority "github.com/protocluster/workshop/chapters/chapter4/09_minority"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const term = time.Second

// noon is when the tests without a cluster begin.
func noon() time.Time { return time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) }

// view returns a view of members that are up, or in the status that follows
// their name: "n1, n2 leaving".
func view(epoch uint64, members string) *cluster.View {
	v := &cluster.View{Epoch: epoch}
	for text := range strings.SplitSeq(members, ", ") {
		id, status, _ := strings.Cut(text, " ")
		m := cluster.Member{ID: id, Address: id + ":8080", Kinds: []string{"user"}, Status: cluster.Up}
		for _, s := range []cluster.Status{cluster.Joining, cluster.Leaving, cluster.Down} {
			if s.String() == status {
				m.Status = s
			}
		}
		v.Members = append(v.Members, m)
	}
	return v
}

// voted is the quorum of n1, and what it was told. Its times count from noon on.
type voted struct {
	s      *story.Story
	quorum *minority.Quorum
	epoch  uint64
}

func quorum(s *story.Story, members string) *voted {
	q := &voted{s: s, quorum: minority.New("n1", term)}
	q.change(0, members)
	return q
}

func (q *voted) change(at time.Duration, members string) {
	q.epoch++
	q.quorum.Change(noon().Add(at), view(q.epoch, members))
	q.s.Note("", "at %v: the view is %s", at, members)
}

// granted notes that members answered what was sent to them then, which has to
// be no error.
func (q *voted) granted(sent time.Duration, members string) {
	for id := range strings.SplitSeq(members, ", ") {
		q.s.Need(q.s.Did(fmt.Sprintf("%s answers what was sent at %v", id, sent), q.quorum.Granted(id, noon().Add(sent))), story.Failure{
			Happened: "Granted refused the answer of " + id + ", which is an elector, or is to be one.",
			Lesson:   "Every elector has a vote, and so has everybody who is about to become one.", Read: "electors",
		})
	}
}

// until fails unless, at some instant, the lease ends a term after since; never
// means that there is none.
func (q *voted) until(at, since time.Duration, f story.Failure) {
	got := "none"
	if end := q.quorum.Until(noon().Add(at)); !end.IsZero() {
		got = fmt.Sprint("until ", end.Sub(noon()))
	}
	want := "none"
	if since != never {
		want = fmt.Sprint("until ", since+term)
	}
	q.s.Note("", "at %v the lease is %s", at, got)
	if got != want {
		f.Got, f.Want = got, want
		q.s.Fatal(f)
	}
}

const never = time.Duration(-1)

func TestUntil_CountsFromTheMajority(t *testing.T) {
	s := story.Begin(t, "The lease lasts a term from the newest instant since which a majority was asked and has answered.")
	for _, row := range []struct{ members, wants string }{
		{"n1", ""}, {"n1, n2, n3", "n2"}, {"n1, n2, n3, n4, n5", "n2, n4"}, {"n0, n1, n2", "n0"},
	} {
		q := quorum(s, row.members)
		q.granted(0, "n1")
		if row.wants == "" {
			q.until(300*time.Millisecond, 300*time.Millisecond, story.Failure{
				Misconception: "nobody-asks-himself",
				Happened:      "n1 is the only member, which is a majority of one.",
				Lesson:        "A member always answers itself, at once.", Read: "the-lease",
			})
			continue
		}
		if strings.Contains(row.members, ", n3") {
			q.until(time.Millisecond, never, story.Failure{
				Misconception: "one-answer-is-enough",
				Happened:      fmt.Sprintf("Of %s, nobody but n1 itself has answered.", row.members),
				Lesson:        "One vote is no majority of three.", Read: "the-lease",
			})
		}
		q.granted(10*time.Millisecond, row.wants)
		q.until(20*time.Millisecond, 10*time.Millisecond, story.Failure{
			Misconception: "stops-on-one-missed-beat",
			Happened:      fmt.Sprintf("Of %s, a majority has answered what was sent at 10ms: %s, and n1 itself. The others have not.", row.members, row.wants),
			Lesson:        "A majority is enough. Whoever waits for all has a lease only as long as nothing is ever late.", Read: "the-lease",
		})
	}
}

func TestUntil_TheNewestIsNotTheMajority(t *testing.T) {
	s := story.Begin(t, "One quick answer does not make a lease longer than the majority has granted.")
	q := quorum(s, "n1, n2, n3, n4, n5")
	q.granted(100*time.Millisecond, "n2, n3")
	q.granted(200*time.Millisecond, "n4")
	q.until(250*time.Millisecond, 100*time.Millisecond, story.Failure{
		Misconception: "one-answer-is-enough",
		Happened:      "Since 200ms only n4 has answered n1. Since 100ms n2 and n3 have as well.",
		Lesson:        "Sort the send times of the newest answers. How far back do you have to go until a majority has answered?", Read: "the-lease",
	})
	q.granted(200*time.Millisecond, "n3")
	q.granted(50*time.Millisecond, "n3, n4")
	q.until(250*time.Millisecond, 200*time.Millisecond, story.Failure{
		Misconception: "trusts-arrival-order",
		Happened:      "n3 and n4 had answered what was sent at 200ms. Then their answers to an older question arrived.",
		Lesson:        "An old answer that comes late takes nothing back.", Read: "the-lease",
	})
	q.until(450*time.Millisecond, 200*time.Millisecond, story.Failure{
		Happened: "Some time has passed, and nobody has answered since.", Lesson: "A lease does not grow by itself.", Read: "the-lease",
	})
}

func TestUntil_HalfIsNoMajority(t *testing.T) {
	s := story.Begin(t, "Half of the electors is not a majority of them.")
	for _, row := range []struct{ members, half, more string }{
		{"n1, n2", "", "n2"}, {"n1, n2, n3, n4", "n2", "n3"}, {"n1, n2, n3, n4, n5, n6", "n2, n6", "n4"},
	} {
		q := quorum(s, row.members)
		q.granted(0, "n1")
		if row.half != "" {
			q.granted(10*time.Millisecond, row.half)
		}
		q.until(20*time.Millisecond, never, story.Failure{
			Misconception: "half-is-enough",
			Happened:      fmt.Sprintf("Of %s, one half has answered: n1 itself %s.", row.members, row.half),
			Lesson:        "If one half could serve, the other half could serve as well.", Read: "the-lease",
		})
		q.granted(20*time.Millisecond, row.more)
		if row.half != "" {
			q.granted(20*time.Millisecond, row.half)
		}
		q.until(30*time.Millisecond, 20*time.Millisecond, story.Failure{
			Misconception: "stops-on-one-missed-beat",
			Happened:      fmt.Sprintf("Of %s, more than half has answered: n1 itself, %s %s.", row.members, row.more, row.half), Lesson: "That is a majority.", Read: "the-lease",
		})
	}
}

func TestGranted_OnlyElectorsCount(t *testing.T) {
	s := story.Begin(t, "Only members that are up have a vote; an answer of anybody else is an error.")
	q := quorum(s, "n1, n2, n3, n4 joining, n5 leaving")
	q.granted(10*time.Millisecond, "n2")
	for _, id := range []string{"n4", "n5", "n6"} {
		if err := s.Did(id+" answers", q.quorum.Granted(id, noon().Add(20*time.Millisecond))); err == nil {
			s.Fatal(story.Failure{
				Misconception: "every-vote-counts",
				Happened:      id + " has no vote: of n1 to n5, n4 is joining and n5 is leaving, and nobody knows n6.",
				Got:           "no error", Want: "an error",
				Lesson: "Who votes has to be the same on both sides of a partition. Whoever comes or goes just now is not.", Read: "electors",
			})
		}
	}
	q.until(30*time.Millisecond, 10*time.Millisecond, story.Failure{
		Misconception: "every-vote-counts", Happened: "n4, n5 and n6, which have no vote, answered what was sent at 20ms.",
		Lesson: "The lease counts from what electors have answered.", Read: "electors",
	})
}

func TestQuorum_NobodyIsNoMajority(t *testing.T) {
	s := story.Begin(t, "A member that has seen no view, or none in which somebody is up, has no electors and no lease.")
	s.Need(s.Did("n1 answers itself", quorum(s, "n1").quorum.Granted("n1", noon())), story.Failure{
		Happened: "Granted refused the answer of n1, the only member.", Lesson: "A member may be told of its own answer, too.", Read: "electors",
	})
	q := &voted{s: s, quorum: minority.New("n1", term)}
	for range 2 {
		if err := s.Did("n1 answers itself", q.quorum.Granted("n1", noon())); err == nil {
			s.Fatal(story.Failure{
				Misconception: "every-vote-counts", Happened: "Nobody is up, and Granted took the answer of n1.",
				Lesson: "An elector is somebody of whom a view says that he is up.", Read: "electors",
			})
		}
		q.until(time.Millisecond, never, story.Failure{
			Misconception: "every-vote-counts", Happened: "Nobody is up.", Lesson: "Of nobody there is no majority.", Read: "the-lease",
		})
		q.change(0, "n1 joining")
	}
	q.change(time.Second, "n1")
	q.until(1100*time.Millisecond, 1100*time.Millisecond, story.Failure{
		Misconception: "nobody-asks-himself", Happened: "n1 is up now, and alone.", Lesson: "It is a majority of one.", Read: "the-lease",
	})
}

func TestChange_OfTwoOneLeaves(t *testing.T) {
	s := story.Begin(t, "Of two members, one can leave politely, and the other one goes on.")
	q := quorum(s, "n1, n2")
	q.granted(900*time.Millisecond, "n2")
	q.change(time.Second, "n1, n2 leaving")
	q.granted(1100*time.Millisecond, "n2")
	q.change(1500*time.Millisecond, "n1")
	q.until(3*time.Second, 3*time.Second, story.Failure{
		Misconception: "the-first-electors-for-ever",
		Happened:      "n2 was leaving from 1s on, and answered what was sent at 1.1s. At 1.5s it was gone.",
		Lesson:        "While it was leaving, n2 agreed that n1 alone is to be the elector. So did n1.", Read: "electors",
	})
}

func TestChange_WhoIsNotSeenIsStillCounted(t *testing.T) {
	s := story.Begin(t, "A member that sees others vanish does not make a majority of those it still sees.")
	q := quorum(s, "n1, n2, n3, n4, n5")
	q.granted(900*time.Millisecond, "n2, n3, n4, n5")
	q.change(2*time.Second, "n1, n2")
	q.granted(2100*time.Millisecond, "n2")
	q.until(2200*time.Millisecond, 900*time.Millisecond, story.Failure{
		Misconception: "majority-of-the-visible",
		Happened:      "n1 and n2 are cut off from the other three, and see it at 2s. n2 has answered since. The others did so at 900ms for the last time.",
		Lesson:        "The three on the other side count in the same way. If the electors are whoever one sees, both sides are a majority of themselves.",
		Read:          "electors",
	})
	q.change(4*time.Second, "n1, n2, n3, n4, n5")
	q.granted(4100*time.Millisecond, "n2, n5")
	q.until(4200*time.Millisecond, 4100*time.Millisecond, story.Failure{
		Misconception: "never-restarts",
		Happened:      "The partition has healed at 4s. n2 and n5 have answered what was sent at 4.1s.",
		Lesson:        "A lease that is over can be had again. Nothing about the past speaks against a majority of now.", Read: "healing",
	})
}

func TestChange_FreshAnswersAreOldNews(t *testing.T) {
	s := story.Begin(t, "That the others answered just before they vanished does not mean that they agree to be left out.")
	q := quorum(s, "n1, n2, n3, n4, n5")
	q.granted(900*time.Millisecond, "n2, n3, n4, n5")
	q.change(time.Second, "n1, n2")
	for at := 1100 * time.Millisecond; at < 3*time.Second; at += 300 * time.Millisecond {
		q.granted(at, "n2")
	}
	q.until(3*time.Second, 900*time.Millisecond, story.Failure{
		Misconception: "yesterdays-majority",
		Happened:      "n1 and n2 are cut off from the other three, and see it at 1s. The last answers of the others were 100ms old then.",
		Lesson:        "Those answers say nothing about a change that came after them. Count only answers to what was sent after it.", Read: "electors",
	})
}

func TestChange_TheMajorityGoesOnWithoutTheRest(t *testing.T) {
	s := story.Begin(t, "If a majority agrees on fewer electors, a majority of those is enough from then on.")
	q := quorum(s, "n1, n2, n3, n4, n5")
	q.granted(900*time.Millisecond, "n2, n3, n4, n5")
	q.change(time.Second, "n1, n2, n3")
	q.granted(1100*time.Millisecond, "n2, n3")
	q.change(2*time.Second, "n1, n2")
	q.granted(2100*time.Millisecond, "n2")
	q.until(2200*time.Millisecond, 2100*time.Millisecond, story.Failure{
		Misconception: "the-first-electors-for-ever",
		Happened:      "n4 and n5 vanished at 1s; n1, n2 and n3 have answered since, which is a majority of five. n3 vanished at 2s, and n2 has answered since.",
		Lesson:        "The three have agreed to be the electors, so two of them are a majority. Whoever counts five for ever stops at the third loss, one after another.",
		Read:          "electors",
	})
	q.change(3*time.Second, "n1")
	q.granted(3100*time.Millisecond, "n1")
	q.until(3200*time.Millisecond, 2100*time.Millisecond, story.Failure{
		Misconception: "majority-of-the-visible", Happened: "Of n1 and n2, which were the electors, n2 vanished.",
		Lesson: "One of two is no majority: n2 may think the same of n1.", Read: "electors",
	})
}

func TestChange_NobodyLosesALeaseByAJoin(t *testing.T) {
	s := story.Begin(t, "The old electors decide until the new ones have been heard.")
	q := quorum(s, "n1, n2, n3")
	q.granted(900*time.Millisecond, "n2, n3")
	q.change(time.Second, "n1, n2, n3, n4, n5, n6")
	q.until(1010*time.Millisecond, 900*time.Millisecond, story.Failure{
		Misconception: "majority-of-the-visible",
		Happened:      "n4, n5 and n6 have just come. n2 and n3 answered at 900ms.",
		Lesson:        "Nobody has asked the newcomers yet. If they counted at once, each join would stop the cluster for a moment.", Read: "electors",
	})
}

func TestChange_BothMajoritiesAgree(t *testing.T) {
	s := story.Begin(t, "New electors take over when a majority of the old ones and a majority of the new ones agree.")
	q := quorum(s, "n1, n2, n3")
	q.granted(900*time.Millisecond, "n2, n3")
	q.change(time.Second, "n1, n2, n3, n4, n5, n6")
	q.granted(1100*time.Millisecond, "n4, n5, n6")
	q.until(1150*time.Millisecond, 900*time.Millisecond, story.Failure{
		Misconception: "the-new-outvote-the-old",
		Happened:      "n4, n5 and n6 have come, and answered what was sent at 1.1s. Of n1, n2 and n3, nobody but n1 has.",
		Lesson:        "A majority of the new electors is not enough: n2 and n3 may be on the other side, and serve.", Read: "electors",
	})
	q.granted(1200*time.Millisecond, "n2")
	q.until(1250*time.Millisecond, 1100*time.Millisecond, story.Failure{
		Misconception: "the-first-electors-for-ever",
		Happened:      "n1 and n2, a majority of the old electors, agree, and n1, n2, n4, n5 and n6, a majority of the new ones, have answered since 1.1s.",
		Lesson:        "The six are the electors now, and four of them make the lease.", Read: "electors",
	})
}

func TestChange_AViewThatIsTakenBack(t *testing.T) {
	s := story.Begin(t, "Electors that were proposed and taken back never take over, and an old view is ignored.")
	q := quorum(s, "n1, n2, n3")
	q.granted(900*time.Millisecond, "n2, n3")
	q.change(time.Second, "n1, n2, n3, n4, n5")
	q.change(1100*time.Millisecond, "n1, n2, n3")
	q.granted(1200*time.Millisecond, "n2")
	q.until(1300*time.Millisecond, 1200*time.Millisecond, story.Failure{
		Happened: "n4 and n5 came and vanished before anybody agreed. n2 has answered since.", Lesson: "Two of three are a majority.", Read: "electors",
	})
	for _, epoch := range []uint64{q.epoch - 1, q.epoch} {
		q.quorum.Change(noon().Add(1400*time.Millisecond), view(epoch, "n1"))
		s.Note("", "the view is n1, of epoch %d, after epoch %d", epoch, q.epoch)
		q.granted(1500*time.Millisecond, "n2")
		q.granted(1600*time.Millisecond, "n1")
		q.until(1700*time.Millisecond, 1500*time.Millisecond, story.Failure{
			Misconception: "trusts-arrival-order", Happened: "A view that is not newer than the last one arrived.",
			Lesson: "The epoch says which view is newer.", Read: "electors",
		})
	}
}

func TestChange_TheSameProposalIsNoNewOne(t *testing.T) {
	s := story.Begin(t, "A view that proposes the same electors as the one before does not begin anew.")
	q := quorum(s, "n1, n2, n3, n4, n5")
	q.granted(900*time.Millisecond, "n2, n3, n4, n5")
	q.change(2*time.Second, "n1, n2, n3")
	q.granted(2100*time.Millisecond, "n2")
	q.change(3*time.Second, "n1, n2, n3, n6 joining")
	q.granted(2900*time.Millisecond, "n3")
	q.until(3100*time.Millisecond, 2900*time.Millisecond, story.Failure{
		Misconception: "the-first-electors-for-ever",
		Happened:      "n4 and n5 vanished at 2s. n2 answered what was sent at 2.1s, and n3 what was sent at 2.9s. In between the view changed, by n6, which is joining.",
		Lesson:        "Since 2s the same three are to be the electors, and a majority of five has answered since. That n6 knocks at the door changes nothing.",
		Read:          "electors",
	})
}

func TestQuorum_ConcurrentUse(t *testing.T) {
	story.Bubble(t, "A quorum may be told and asked by many at the same time.", func(_ *testing.T, s *story.Story) {
		q := quorum(s, "n1, n2, n3")
		q.granted(0, "n2")
		var callers sync.WaitGroup
		for i := range 4 {
			callers.Go(func() {
				for n := range 100 {
					_ = q.quorum.Granted("n2", noon().Add(time.Duration(i*100+n)))
					_ = q.quorum.Until(noon())
				}
			})
		}
		for n := range uint64(100) {
			q.quorum.Change(noon(), view(n+2, "n1, n2, n3"))
		}
		callers.Wait()
		q.until(term, 399, story.Failure{Happened: "Four goroutines told of 400 answers.", Lesson: "The newest counts, whoever tells of it.", Read: "the-lease"})
	})
}
