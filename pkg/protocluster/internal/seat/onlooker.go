package seat

import (
	"context"
	"log/slog"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// Watch calls seen with each view that a store shows, until ctx ends. It is for
// nodes that are in no view. A store that does not answer and a record that
// cannot be read are logged, once as long as nothing changes.
func Watch(ctx context.Context, store Store, log *slog.Logger, seen func(*sealedview.View)) {
	w := onlooker{store: store, log: log, seen: seen}
	for ctx.Err() == nil {
		w.look(ctx)
	}
}

// onlooker is one Watch.
type onlooker struct {
	store Store
	log   *slog.Logger
	seen  func(*sealedview.View)

	last    sealedview.Stamp
	trouble string
}

// watchPause is how long a failing store is left alone, and how long one call to
// it may take.
const (
	watchPause = 250 * time.Millisecond
	watchCall  = 2 * time.Second
)

// look reads the record and waits until it may be another.
func (w *onlooker) look(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, watchCall)
	record, err := w.store.Read(bounded)
	cancel()
	if err == nil && record.Data != nil {
		var view *sealedview.View
		if view, err = sealedview.Parse(record.Data); err == nil && view.Stamp != w.last {
			w.last = view.Stamp
			w.seen(view)
		}
	}
	if err == nil {
		err = w.store.Wait(ctx, record)
	}
	if ctx.Err() != nil {
		return
	}
	w.tell(err)
	if err != nil {
		pause := time.NewTimer(watchPause)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// tell logs what is wrong when that changes.
func (w *onlooker) tell(err error) {
	switch {
	case err == nil && w.trouble != "":
		w.trouble = ""
		w.log.Info("seat: the view store answers again")
	case err != nil && w.trouble != err.Error():
		w.trouble = err.Error()
		w.log.Warn("seat: the view store cannot be watched; the members known so far stay", "error", err)
	}
}
