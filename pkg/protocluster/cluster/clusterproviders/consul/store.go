package consul

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	// waitTime is how long Consul lets a query of a Wait wait. Where Consul was
	// restored from a backup between a Read and a Wait, this is how late it
	// shows.
	waitTime = 15 * time.Second
	// maxWaits is how many of them a Wait makes one after another as long as
	// nothing happens. A Read follows each Wait, and costs Consul's leader
	// more than to let a query wait.
	maxWaits = 3
	// waitSlack is what Consul and the network may take beyond it: Consul
	// adds up to a sixteenth, so that not all come back at once.
	waitSlack = 5 * time.Second
)

// store is one node's use of a cluster's folder:
//
//	<folder>view       the record
//	<folder>join/<id>  an announcement
type store struct {
	*agent

	folder  string // ends in a slash
	service string
	access  string // what the node needs: "read" or "write"
	log     *slog.Logger
	waits   pace

	turn      chan struct{} // holds one while announced or shown are at work
	announced *announcement // guarded by turn
	shown     *appearance   // guarded by turn
}

var _ cluster.Store = (*store)(nil)

func (s *store) view() string            { return s.folder + "view" }
func (s *store) joiner(id string) string { return s.folder + "join/" + segment(id) }

// Read implements cluster.Store by one consistent listing of the folder, which
// Consul answers from one instant.
func (s *store) Read(ctx context.Context) (cluster.Record, error) {
	query := (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx)
	pairs, meta, err := s.KV().List(s.folder, query)
	if err == nil {
		err = credible(meta, pairs...)
	}
	if err != nil {
		return cluster.Record{}, s.failed("read "+s.folder, s.keys(), err)
	}
	record := cluster.Record{Revision: meta.LastIndex}
	for _, pair := range pairs {
		switch id, joins := strings.CutPrefix(pair.Key, s.joiner("")); {
		case pair.Key == s.view():
			record.Data, record.Version = append([]byte{}, pair.Value...), pair.ModifyIndex
		case joins && id != "":
			record.Joiners = append(record.Joiners, pair.Value)
		}
	}
	if record.Version > 0 {
		return record, nil
	}
	// A token without rights sees an empty folder; of a key it is told.
	pair, meta, err := s.KV().Get(s.view(), query)
	if err == nil {
		err = credible(meta)
	}
	if err != nil {
		return cluster.Record{}, s.failed("read "+s.view(), s.keys(), err)
	}
	if pair != nil && pair.ModifyIndex > 0 { // written since
		record.Data, record.Version = append([]byte{}, pair.Value...), pair.ModifyIndex
	}
	return record, nil
}

// Write implements cluster.Store by a transaction of one check-and-set, because
// the answer to that has the new version in it.
func (s *store) Write(ctx context.Context, data []byte, version uint64) (uint64, error) {
	ops := api.TxnOps{{KV: &api.KVTxnOp{Verb: api.KVCAS, Key: s.view(), Value: data, Index: version}}}
	var done api.TxnResponse
	_, err := s.Raw().Write("/v1/txn", ops, &done, new(api.WriteOptions).WithContext(ctx))
	if err != nil {
		return 0, s.failed("write "+s.view(), s.keys(), refusal(err))
	}
	for _, result := range done.Results {
		if result != nil && result.KV != nil && result.KV.ModifyIndex > 0 {
			return result.KV.ModifyIndex, nil
		}
	}
	return 0, s.failed("write "+s.view(), s.keys(), errForeign)
}

// refusal is what err says if it is a transaction's that did nothing.
func refusal(err error) error {
	status, ok := errors.AsType[api.StatusError](err)
	if !ok || status.Code != http.StatusConflict {
		return err
	}
	var done api.TxnResponse
	if json.Unmarshal([]byte(status.Body), &done) != nil || len(done.Errors) == 0 || done.Errors[0] == nil {
		return errForeign
	}
	what := done.Errors[0].What
	switch {
	case strings.Contains(what, "index is stale"):
		return cluster.ErrConflict
	case denied(what):
		return api.StatusError{Code: http.StatusForbidden, Body: what}
	}
	return errors.New(what)
}

// Wait implements cluster.Store by blocking queries for the whole folder.
func (s *store) Wait(ctx context.Context, since cluster.Record) error {
	for range maxWaits {
		if now, err := s.blocked(ctx, since.Revision); err != nil || now != since.Revision {
			return err
		}
	}
	return nil
}

// blocked returns the folder's index once it is another, or after waitTime. It
// makes the query of Read, because Consul counts other queries' indexes differently.
func (s *store) blocked(ctx context.Context, index uint64) (now uint64, err error) {
	if err := s.waits.begin(ctx); err != nil {
		return 0, s.failed("watch "+s.folder, s.keys(), err)
	}
	bounded, cancel := context.WithTimeout(ctx, waitTime+waitTime/16+waitSlack)
	defer cancel()
	query := (&api.QueryOptions{WaitIndex: index, WaitTime: waitTime}).WithContext(bounded)
	_, meta, err := s.KV().List(s.folder, query)
	if err == nil {
		err = credible(meta)
	}
	s.waits.end(err)
	if err != nil {
		return 0, s.failed("watch "+s.folder, s.keys(), err)
	}
	return meta.LastIndex, nil
}

// Close implements cluster.Store.
func (s *store) Close(ctx context.Context) error {
	err := errors.Join(s.Withdraw(ctx), s.hide(ctx))
	s.transport.CloseIdleConnections()
	return err
}

// begin takes the turn, which Announce, Withdraw and Show take one after another.
func (s *store) begin(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil // and never an error, so that Close stops what runs
	default:
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return s.failed("wait for another call", "", ctx.Err())
	}
}

func (s *store) end() { <-s.turn }

// credible reports an answer that Consul did not give: it counts every state of
// the keys, and of each key, from 1.
func credible(meta *api.QueryMeta, pairs ...*api.KVPair) error {
	if meta.LastIndex == 0 || slices.ContainsFunc(pairs, func(p *api.KVPair) bool { return p == nil || p.ModifyIndex == 0 }) {
		return errForeign
	}
	return nil
}

// segment writes a name as one part of a key.
func segment(name string) string {
	if name == "." || name == ".." { // Consul's server would follow them
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}
