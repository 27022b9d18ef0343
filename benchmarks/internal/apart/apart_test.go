package apart

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// serve serves the contender that open makes, for as long as the test lasts, and
// returns its address; ended yields what came of it.
func serve(t *testing.T, open func(ctx context.Context) (*bench.Instance, error)) (address string, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addresses, ended := make(chan string, 1), make(chan error, 1)
	find := func(args []string) (bench.Contender, error) { return bench.Contender{Name: args[0], Open: open}, nil }
	go func() {
		err := Serve(find)(ctx, []string{"it"}, func(address string) { addresses <- address })
		ended <- err
		close(addresses)
	}()
	address = <-addresses
	if address == "" {
		t.Fatalf("it does not serve: %v", <-ended)
	}
	return address, func() error {
		cancel()
		return <-ended
	}
}

func TestServe_RunsWhenAskedTo(t *testing.T) {
	lost, closed := errors.New("lost one"), errors.New("closed")
	runs := 0.0
	address, end := serve(t, func(context.Context) (*bench.Instance, error) {
		return &bench.Instance{
			Run: func(ctx context.Context) (bench.Sample, error) {
				if _, bounded := ctx.Deadline(); !bounded {
					t.Error("a run has no deadline; callers would time what their libraries do about that")
				}
				if runs++; runs == 3 {
					return nil, lost
				}
				return bench.Sample{runs, 1e18}, nil
			},
			Close: func() error { return closed },
		}, nil
	})
	for want := range 2 {
		sample, err := run(t.Context(), address)
		if err != nil || len(sample) != 2 || sample[0] != float64(want+1) || sample[1] != 1e18 {
			t.Errorf("run %d = %v, %v", want+1, sample, err)
		}
	}
	if sample, err := run(t.Context(), address); err == nil || err.Error() != lost.Error() {
		t.Errorf("a run that lost a message = %v, %v", sample, err)
	}
	if err := end(); !errors.Is(err, closed) {
		t.Errorf("the end = %v, want what Close returns", err)
	}
	if _, err := run(t.Context(), address); err == nil || !strings.HasPrefix(err.Error(), "apart: ") {
		t.Errorf("a run after the end = %v", err)
	}
}

// A run ends when nobody waits for it any more.
func TestServe_EndsWithItsAsker(t *testing.T) {
	begun, over := make(chan struct{}), make(chan struct{})
	address, end := serve(t, func(context.Context) (*bench.Instance, error) {
		return &bench.Instance{Run: func(ctx context.Context) (bench.Sample, error) {
			close(begun)
			<-ctx.Done()
			close(over)
			return nil, ctx.Err()
		}}, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	if _, err := run(ctx, address); !errors.Is(err, context.Canceled) {
		t.Errorf("run = %v, want that it was canceled", err)
	}
	<-over
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestServe_TellsWhatDoesNotOpen(t *testing.T) {
	broken := errors.New("broken")
	find := func([]string) (bench.Contender, error) {
		return bench.Contender{Open: func(context.Context) (*bench.Instance, error) { return nil, broken }}, nil
	}
	ready := func(string) { t.Error("it says that it can be reached") }
	if err := Serve(find)(t.Context(), nil, ready); !errors.Is(err, broken) {
		t.Errorf("Serve = %v, want %v", err, broken)
	}
}
