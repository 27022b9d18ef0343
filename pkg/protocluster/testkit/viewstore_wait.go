package testkit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func waitForWrite(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	before := b.read()
	ends := b.waiting(before)
	version := a.write("one", 0)
	ends()
	before = b.read()
	ends = b.waiting(before)
	a.write("two", version)
	ends()
	b.until(0, "the second record", func(r cluster.Record) bool { return string(r.Data) == "two" })
}

func waitAfterWrite(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	before := b.read()
	version := a.write("one", 0)
	b.waiting(before)()
	before = b.read()
	a.write("two", version)
	a.announce("a", "a joins")
	b.waiting(before)()
	before = b.read()
	a.withdraw()
	b.waiting(before)()
	b.waiting(cluster.Record{})()
}

// waitForAll has one node write and announce without pause, while another reads
// and waits: after the last change its last read has to be of that.
func waitForAll(s *viewStoreSuite) {
	const writes = 40
	a, b := s.open(0), s.open(1)
	ctx, cancel := context.WithTimeout(s.Context(), writes*s.Settle+storePatience)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			r, err := b.Read(ctx)
			if err == nil && string(r.Data) == fmt.Sprint(writes-1) && joining()(r) {
				return
			}
			if err == nil {
				err = b.Wait(ctx, r)
			}
			if err != nil {
				s.Errorf("the node that waits: %v; it last saw %s", err, describe(r))
				return
			}
		}
	})
	version := uint64(0)
	for i := range writes {
		version = a.write(fmt.Sprint(i), version)
		if i%10 == 5 {
			a.announce("a", fmt.Sprint("a joins ", i))
		}
	}
	a.withdraw()
	last := time.Now()
	watching.Wait()
	if took := time.Since(last); took > s.Settle {
		s.Errorf("the last change was noticed after %v, want %v at most", took, s.Settle)
	}
}

func waitForHand(s *viewStoreSuite) {
	s.needs("Overwrite", s.Overwrite != nil)
	a := s.open(0)
	version := a.write("one", 0)
	for _, data := range [][]byte{[]byte("\x00garbage"), {}, nil, []byte("back")} {
		ends := a.waiting(a.read())
		s.Overwrite(data)
		ends()
		if r := a.read(); string(r.Data) != string(data) || (r.Data == nil) != (data == nil) {
			s.Errorf("Read = %s, want %q", describe(r), data)
		}
		a.conflict("two", version)
	}
}

func lostAnswer(s *viewStoreSuite) {
	s.needs("LoseAnswer", s.LoseAnswer != nil)
	a, b := s.open(0), s.open(1)
	version := a.write("one", 0)
	s.LoseAnswer(0)
	if now, err := a.tryWrite("two", version); err == nil || errors.Is(err, cluster.ErrConflict) {
		s.Errorf("Write whose answer got lost = %d, %v, want an error other than ErrConflict", now, err)
	}
	r := a.read()
	if string(r.Data) != "two" || r.Version == version {
		s.Errorf("Read = %s, want what was written, and a version other than %d", describe(r), version)
	}
	a.conflict("three", version)
	b.is("three", b.write("three", r.Version))
}

func boundCalls(s *viewStoreSuite) {
	a := s.open(0)
	a.read() // there is a connection to be used
	calls := []struct {
		name string
		call func(ctx context.Context) error
	}{
		{"Read", func(ctx context.Context) error { _, err := a.Read(ctx); return err }},
		{"Write", func(ctx context.Context) error { _, err := a.Write(ctx, nil, 0); return err }},
		{"Wait", func(ctx context.Context) error { return a.Wait(ctx, a.last()) }},
		{"Announce", func(ctx context.Context) error { return a.Announce(ctx, "a", nil) }},
		{"Show", func(ctx context.Context) error { return a.Show(ctx, cluster.Member{ID: "a"}) }},
	}
	late, cancel := context.WithCancel(s.Context())
	cancel()
	for _, c := range calls {
		if err := c.call(late); !errors.Is(err, context.Canceled) {
			s.Errorf("%s with a context that has ended = %v, want context.Canceled", c.name, err)
		}
	}
	s.needs("Cut", s.Cut != nil)
	s.Cut(0)
	for _, c := range calls {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(s.Context(), 200*time.Millisecond)
		if err := c.call(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cluster.ErrConflict) {
			s.Errorf("%s without the store = %v, want context.DeadlineExceeded", c.name, err)
		}
		cancel()
		if took := time.Since(begin); took > time.Second {
			s.Errorf("%s took %v to end with its context", c.name, took)
		}
	}
	s.Heal(0)
}

// last is a Record at which nothing happens: Wait does not return at once.
func (u *storeUse) last() cluster.Record { return cluster.Record{Revision: 1 << 60} }

func cutOff(s *viewStoreSuite) {
	s.needs("Cut", s.Cut != nil)
	a, b := s.open(0), s.open(1)
	version := a.write("one", 0)
	s.Cut(0)
	version = b.write("two", version)
	ctx, cancel := context.WithTimeout(s.Context(), time.Second)
	if r, err := a.Read(ctx); err == nil {
		s.Errorf("Read without the store = %s, want an error", describe(r))
	}
	cancel()
	s.Heal(0)
	a.is("two", version)
	ends := a.waiting(a.read())
	version = b.write("three", version)
	ends()
	a.is("four", a.write("four", version))
}
