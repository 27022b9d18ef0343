package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ledger"
	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// runClient is the life of a client that keeps load on c.load users: it connects,
// asks until ctx ends, and meanwhile serves the ledger and what it has witnessed.
func runClient(ctx context.Context, c *config, logger *slog.Logger, node *cluster.Cluster) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := witness.New(c.load)
	served, listener, err := serveLab(ctx, c.observe, w)
	if err != nil {
		return err
	}
	defer served.Close()
	if err := node.Connect(ctx); err != nil {
		return err
	}
	logger.Info("connected", "cluster", c.cluster, "users", c.load, "observe", listener.Addr().String())
	var going sync.WaitGroup
	going.Go(func() {
		for view := range node.Views(ctx) {
			w.Saw(view.Epoch, memberNames(view))
		}
	})
	going.Go(func() { (&load{node, w}).run(ctx, c.load) })
	going.Go(func() {
		if err := served.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("serving what was observed ended", "error", err)
			cancel()
		}
	})
	<-ctx.Done()
	going.Go(func() { _ = served.Close() })
	going.Wait()
	if err := node.Close(); err != nil {
		return err
	}
	logger.Info("closed")
	return nil
}

// serveLab prepares the server of the ledger, below /ledger/, and of the witness's
// report, at /report. It is for the nodes of the cluster and whoever runs it: bind
// it to a network that nobody else is on.
func serveLab(ctx context.Context, address string, w *witness.Witness) (*http.Server, net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("member: -observe %s: %w; choose another port", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ledger/", http.StripPrefix("/ledger", ledger.New(w).Handler()))
	mux.HandleFunc("GET /healthy", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /report", func(rw http.ResponseWriter, r *http.Request) { serveReport(rw, r, w) })
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, listener, nil
}

// serveReport answers with what was witnessed since ?since=, a time as RFC 3339
// has it; by default since the beginning.
func serveReport(rw http.ResponseWriter, r *http.Request, w *witness.Witness) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			http.Error(rw, "since is no time; write it as 2026-01-02T15:04:05Z", http.StatusBadRequest)
			return
		}
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(w.Report(since)) // who has gone does not hear it
}

// memberNames are the names of the members that are up.
func memberNames(view *cluster.View) []string {
	var names []string
	for _, m := range view.Members {
		if m.Status == cluster.Up {
			names = append(names, memberName(m.Address))
		}
	}
	return names
}

// memberName is the first part of the name of a member's host, as of
// member-1.lab:7000; of a host without a name it is the address.
func memberName(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil || net.ParseIP(host) != nil {
		return address
	}
	name, _, _ := strings.Cut(host, ".")
	return name
}
