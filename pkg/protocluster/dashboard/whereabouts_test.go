package dashboard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard/internal/journal"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/dashboardpb"
)

// stage is some members whose answers a test writes.
type stage struct {
	where  whereabouts
	all    map[string]said
	now    time.Time
	events []string
}

func newStage() *stage {
	return &stage{where: newWhereabouts(), all: make(map[string]said), now: time.Now()}
}

// say has a member answer that it hosts those identities: asked a while ago.
func (s *stage) say(member string, asked time.Duration, reply *dashboardpb.ReportReply, hashes ...uint64) {
	reply.System, reply.Sample = member, &dashboardpb.Sample{Version: 1, Hashes: hashes}
	sample := newSample(reply, s.all[member], s.now)
	s.all[member] = said{reply: reply, asked: s.now.Add(-asked), answered: s.now, waited: s.now, sample: sample}
}

// pass lets time go by, and then looks.
func (s *stage) pass(d time.Duration) {
	s.now = s.now.Add(d)
	for member, m := range s.all {
		m.waited = s.now
		s.all[member] = m
	}
	tell := func(_ event, format string, args ...any) { s.events = append(s.events, fmt.Sprintf(format, args...)) }
	s.where.settle(s.all)
	s.where.follow(s.now, s.all, tell, func(address string) string { return address })
}

func held() *dashboardpb.ReportReply {
	return &dashboardpb.ReportReply{Leased: true, Strict: 1, StoreAge: 1}
}

func TestWhereabouts_SumsUpWhatMoves(t *testing.T) {
	s := newStage()
	s.say("m1", 0, held(), 1, 2, 3)
	s.say("m2", 0, held(), 4)
	s.pass(time.Second)
	s.say("m1", 0, held(), 1)
	s.say("m2", 0, held(), 4, 2)
	s.say("m3", 0, held(), 3)
	s.pass(100 * time.Millisecond)
	if len(s.events) != 0 {
		t.Errorf("told %q while things may move still", s.events)
	}
	s.pass(calm)
	if want := []string{"2 identities moved: m1 → m2 1, m1 → m3 1"}; !slices.Equal(s.events, want) {
		t.Errorf("told %q, want %q", s.events, want)
	}
	s.pass(time.Hour)
	if len(s.events) != 1 {
		t.Errorf("told %q, want it once", s.events)
	}
}

// Members answer one after the other, so an identity that moves in between is
// named by both.
func TestWhereabouts_TwoAnswersAreNoProofOfTwoActivations(t *testing.T) {
	s := newStage()
	s.say("m1", 20*time.Millisecond, held(), 1)
	s.pass(250 * time.Millisecond)
	s.say("m2", 20*time.Millisecond, held(), 1) // m1 has let go since, and was not asked again
	s.pass(0)
	if len(s.where.twice) != 0 || len(s.events) != 0 {
		t.Errorf("%d are said to be active twice: %q", len(s.where.twice), s.events)
	}
}

func TestWhereabouts_TellsOfTwoActivations(t *testing.T) {
	s := newStage()
	for range 3 {
		s.say("m1", 20*time.Millisecond, held(), 1)
		s.say("m2", 20*time.Millisecond, held(), 1, 2)
		s.pass(250 * time.Millisecond)
	}
	if want := []string{"an identity is active twice, on m1 and m2"}; len(s.where.twice) != 1 || !slices.Equal(s.events, want) {
		t.Errorf("%d are active twice, told %q; want 1 and %q, once", len(s.where.twice), s.events, want)
	}
	s.say("m1", 0, held())
	s.pass(250 * time.Millisecond)
	if len(s.where.twice) != 0 {
		t.Error("it is still said to be active twice after one has ended")
	}
}

func TestWhereabouts_WhoHasNoLeaseDoesNotAct(t *testing.T) {
	s := newStage()
	for range 3 {
		s.say("m1", 20*time.Millisecond, &dashboardpb.ReportReply{Strict: 1, StoreAge: 1}, 1)
		s.say("m2", 20*time.Millisecond, held(), 1)
		s.pass(250 * time.Millisecond)
	}
	if len(s.where.twice) != 0 {
		t.Errorf("%q, though m1 may not act", s.events)
	}
}

func TestWhereabouts_LooksAtSoManyAtMost(t *testing.T) {
	s := newStage()
	var all []uint64
	for i := range 40_000 {
		all = append(all, journal.Hash(cluster.Identity{Kind: "user", Identity: fmt.Sprint(i)}))
	}
	for m := range 20 { // as members do by themselves
		own := all[m*2000 : (m+1)*2000]
		s.say(fmt.Sprint("m", m), 0, held(), own...)
	}
	s.pass(time.Second)
	seen := 0
	for _, m := range s.all {
		seen += m.sample.count(s.where.level)
	}
	if seen > mostSampled || seen < mostSampled/4 {
		t.Errorf("%d dots at level %d, want at most %d and not few", seen, s.where.level, mostSampled)
	}
	for _, m := range slices.Sorted(maps.Keys(s.all)) { // nearly all end
		s.say(m, 0, held(), s.all[m].sample.hashes[:20]...)
	}
	for range 10 {
		s.pass(time.Second)
	}
	if s.where.level != 0 || strings.Contains(fmt.Sprint(s.events), "moved") {
		t.Errorf("level %d for 400 identities, want 0; told %q", s.where.level, s.events)
	}
}
