package testkit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// storeUse is a store as a test uses it.
type storeUse struct {
	cluster.Store
	s    *viewStoreSuite
	node int
}

func (u *storeUse) read() cluster.Record {
	u.s.Helper()
	ctx, cancel := context.WithTimeout(u.s.Context(), storePatience)
	defer cancel()
	r, err := u.Read(ctx)
	if err != nil {
		u.s.Fatalf("Read by node %d: %v", u.node, err)
	}
	return r
}

func (u *storeUse) tryWrite(data string, version uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(u.s.Context(), storePatience)
	defer cancel()
	return u.Write(ctx, []byte(data), version)
}

func (u *storeUse) write(data string, version uint64) uint64 {
	u.s.Helper()
	now, err := u.tryWrite(data, version)
	if err != nil {
		u.s.Fatalf("Write by node %d: %v", u.node, err)
	}
	return now
}

// conflict checks that a write fails because the version is another.
func (u *storeUse) conflict(data string, version uint64) {
	u.s.Helper()
	if now, err := u.tryWrite(data, version); !errors.Is(err, cluster.ErrConflict) {
		u.s.Errorf("Write(%.20q, %d) = %d, %v, want ErrConflict", data, version, now, err)
	}
}

func (u *storeUse) announce(id, data string) {
	u.s.Helper()
	ctx, cancel := context.WithTimeout(u.s.Context(), storePatience)
	defer cancel()
	if err := u.Announce(ctx, id, []byte(data)); err != nil {
		u.s.Fatalf("Announce by node %d: %v", u.node, err)
	}
}

func (u *storeUse) withdraw() {
	u.s.Helper()
	ctx, cancel := context.WithTimeout(u.s.Context(), storePatience)
	defer cancel()
	if err := u.Withdraw(ctx); err != nil {
		u.s.Fatalf("Withdraw by node %d: %v", u.node, err)
	}
}

// waiting begins a Wait and returns a function that checks that it ends in time.
func (u *storeUse) waiting(since cluster.Record) (ends func()) {
	u.s.Helper()
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(u.s.Context())
	go func() { done <- u.Wait(ctx, since) }()
	return func() {
		u.s.Helper()
		defer cancel()
		late := time.NewTimer(u.s.Settle)
		defer late.Stop()
		select {
		case err := <-done:
			if err != nil {
				u.s.Errorf("Wait by node %d: %v", u.node, err)
			}
		case <-late.C:
			cancel()
			u.s.Errorf("Wait by node %d did not end within %v of the change, but with %v", u.node, u.s.Settle, <-done)
		}
	}
}

// until reads until is says so, and returns how long that took.
func (u *storeUse) until(within time.Duration, what string, is func(r cluster.Record) bool) time.Duration {
	u.s.Helper()
	begin := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r := u.read()
		took := time.Since(begin)
		switch {
		case is(r):
			return took
		case took > within:
			u.s.Fatalf("after %v node %d does not see %s, but %s", took, u.node, what, describe(r))
		}
		<-tick.C
	}
}

func describe(r cluster.Record) string {
	return fmt.Sprintf("%.40q of version %d, joining %q", r.Data, r.Version, r.Joiners)
}

// joining tells whether exactly those have announced themselves.
func joining(want ...string) func(cluster.Record) bool {
	return func(r cluster.Record) bool {
		seen := map[string]int{}
		for _, j := range r.Joiners {
			seen[string(j)]++
		}
		for _, w := range want {
			seen[w]--
		}
		for _, n := range seen {
			if n != 0 {
				return false
			}
		}
		return true
	}
}
