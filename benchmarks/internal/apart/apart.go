// Package apart runs each contender in a process of its own, so that none has
// another's heap to collect, nor its goroutines and timers beside its own. Those
// that wait for their turn do nothing but what idle members do.
package apart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/process"
)

// Server is the name by which a process is told to serve a contender.
const Server = "contender"

// patience is more than any run may take.
const patience = time.Hour

// Contender returns c in a process of its own, which is to serve it with those
// arguments. Open starts the process, and Close ends it.
func Contender(c bench.Contender, args ...string) bench.Contender {
	return bench.Contender{Name: c.Name, Open: func(ctx context.Context) (*bench.Instance, error) {
		p, err := process.Start(ctx, Server, args...)
		if err != nil {
			return nil, err
		}
		return &bench.Instance{
			Run:   func(ctx context.Context) (bench.Sample, error) { return run(ctx, p.Address) },
			Close: p.Stop,
		}, nil
	}}
}

// run has the contender of the process at address run once.
func run(ctx context.Context, address string) (sample bench.Sample, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("apart: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(text)))
	}
	if err == nil {
		err = json.Unmarshal(text, &sample)
	}
	return sample, err
}

// Serve serves the contender that find returns for the arguments.
func Serve(find func(args []string) (bench.Contender, error)) process.Server {
	return func(ctx context.Context, args []string, ready func(address string)) error {
		c, err := find(args)
		if err != nil {
			return err
		}
		instance, err := c.Open(ctx)
		if err != nil {
			return err
		}
		err = listen(ctx, instance, ready)
		if instance.Close != nil {
			err = errors.Join(err, instance.Close())
		}
		return err
	}
}

// listen runs the instance when it is asked to, until ctx ends.
func listen(ctx context.Context, instance *bench.Instance, ready func(address string)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		runtime.GC()                                              // what is left of the run before is not this one's to collect
		ctx, cancel := context.WithTimeout(r.Context(), patience) // whoever asks has a deadline, in each contender
		defer cancel()
		sample, err := instance.Run(ctx)
		if err == nil {
			err = json.NewEncoder(w).Encode(sample)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	ready(l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
