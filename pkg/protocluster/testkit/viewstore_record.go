package testkit

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func emptyStore(s *viewStoreSuite) {
	r := s.open(0).read()
	if r.Data != nil || r.Version != 0 || len(r.Joiners) != 0 {
		s.Errorf("Read = %s, want nothing", describe(r))
	}
}

func firstWrite(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	version := a.write("first", 0)
	if version == 0 {
		s.Error("Write returned version 0, which means that there is no record")
	}
	a.is("first", version)
	b.is("first", version)
	b.conflict("second", 0)
	b.is("first", version)
}

// is checks what a read shows.
func (u *storeUse) is(data string, version uint64) {
	u.s.Helper()
	if r := u.read(); string(r.Data) != data || r.Version != version {
		u.s.Errorf("Read by node %d = %s, want %.40q of version %d", u.node, describe(r), data, version)
	}
}

func compareAndSwap(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	one := a.write("one", 0)
	two := b.write("two", one)
	if one == two {
		s.Errorf("two writes have version %d", one)
	}
	a.conflict("three", one)
	a.conflict("three", 0)
	a.conflict("three", two+1000)
	a.is("two", two)
	a.is("three", a.write("three", two))
}

func emptyRecord(s *viewStoreSuite) {
	a := s.open(0)
	version := a.write("", 0)
	r := a.read()
	if r.Data == nil || len(r.Data) != 0 || r.Version != version {
		s.Errorf("Read = %s, want empty data that is not nil, of version %d", describe(r), version)
	}
	a.conflict("other", 0)
	s.needs("Overwrite", s.Overwrite != nil)
	s.Overwrite(nil)
	if r := a.read(); r.Data != nil || r.Version != 0 {
		s.Errorf("Read after it was deleted = %s, want nothing", describe(r))
	}
	a.conflict("other", version)
}

func largeRecord(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	large := strings.Repeat(string(all), 800) // 200 bytes for each of 1,000 members
	b.is(large, a.write(large, 0))
}

func freshVersions(s *viewStoreSuite) {
	a := s.open(0)
	seen := map[uint64]bool{}
	version := uint64(0)
	for i := range 20 {
		if s.Overwrite != nil && i%5 == 4 {
			s.Overwrite(nil)
			version = 0
		}
		version = a.write(fmt.Sprint("write ", i%2), version) // the data repeats
		if seen[version] {
			s.Fatalf("version %d has come twice", version)
		}
		seen[version] = true
	}
}

func writeRace(s *viewStoreSuite) {
	const nodes, rounds = 4, 10
	var all []*storeUse
	for i := range nodes {
		all = append(all, s.open(i))
	}
	version := uint64(0)
	for round := range rounds {
		var mu sync.Mutex
		won := map[string]uint64{}
		var racing sync.WaitGroup
		for _, u := range all {
			racing.Go(func() {
				data := fmt.Sprintf("round %d by %d", round, u.node)
				now, err := u.tryWrite(data, version)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won[data] = now
				case !errors.Is(err, cluster.ErrConflict):
					s.Errorf("Write by node %d: %v", u.node, err)
				}
			})
		}
		racing.Wait()
		if len(won) != 1 {
			s.Fatalf("in round %d %d of %d writes succeeded, want 1: %v", round, len(won), nodes, won)
		}
		for data, now := range won {
			all[round%nodes].is(data, now)
			version = now
		}
	}
}

func storeNames(s *viewStoreSuite) {
	a := s.open(0)
	version := a.write("ours", 0)
	a.announce("a", "a joins")
	for _, name := range []string{s.Name + "/view", s.Name + "x", s.Name + "/join", s.Name + " %2F", s.Name[:len(s.Name)-1]} {
		other := s.open(1, func(u *storeUser) { u.name = name })
		if r := other.read(); r.Data != nil || len(r.Joiners) != 0 {
			s.Errorf("%q sees %s of %q", name, describe(r), s.Name)
		}
		other.is("theirs", other.write("theirs", 0))
		other.announce("view", "x joins")
	}
	a.is("ours", version)
	a.until(0, "a", joining("a joins"))
}

func storeSharing(s *viewStoreSuite) {
	shared := s.Store(0)
	s.Store = func(int) cluster.ViewStore { return shared }
	a, b := s.open(0), s.open(1)
	a.announce("a", "a joins")
	b.announce("b", "b joins")
	b.until(0, "both", joining("a joins", "b joins"))
	a.withdraw()
	b.until(0, "b", joining("b joins"))
	b.is("one", a.write("one", 0))
}

func storeClient(s *viewStoreSuite) {
	a := s.open(0)
	client := s.open(1, func(u *storeUser) { u.client = true })
	ends := client.waiting(client.read())
	version := a.write("one", 0)
	ends()
	client.is("one", version)
}
