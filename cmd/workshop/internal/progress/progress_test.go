package progress_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

func file(root string) string { return filepath.Join(root, progress.Dir, "progress.json") }

func TestUpdate_IsThereForTheNext(t *testing.T) {
	root := t.TempDir()
	if err := progress.Open(root).Update("4.1", func(r *progress.Record) { r.Passed = "abc"; r.Hints = 2 }); err != nil {
		t.Fatal(err)
	}
	if err := progress.Open(root).Update("4.2", func(r *progress.Record) { r.Runs++ }); err != nil {
		t.Fatal(err)
	}
	p, err := progress.Open(root).Load()
	if err != nil || p.Exercises["4.1"].Passed != "abc" || p.Exercises["4.1"].Hints != 2 || p.Exercises["4.2"].Runs != 1 {
		t.Errorf("progress = %+v, %v", p, err)
	}
	if r := p.Exercises["4.1"]; time.Since(r.Last) > time.Minute || r.Active != 0 {
		t.Errorf("last %v, active %v, want now and nothing", r.Last, r.Active)
	}
}

func TestUpdate_ManyAtOnceLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no time passes while one of them has the lock
		root := t.TempDir()
		var writers sync.WaitGroup
		for range 20 {
			writers.Go(func() {
				if err := progress.Open(root).Update("4.1", func(r *progress.Record) { r.Runs++ }); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		if p, err := progress.Open(root).Load(); err != nil || p.Exercises["4.1"].Runs != 20 {
			t.Errorf("%d runs, %v, want 20", p.Exercises["4.1"].Runs, err)
		}
	})
}

func TestUpdate_ACrashedOwnerOfTheLockIsForgotten(t *testing.T) {
	root := t.TempDir()
	lock := filepath.Join(root, progress.Dir, "progress.lock")
	long := time.Now().Add(-time.Hour)
	if err := errors.Join(os.MkdirAll(filepath.Dir(lock), 0o755), os.WriteFile(lock, nil, 0o600), os.Chtimes(lock, long, long)); err != nil {
		t.Fatal(err)
	}
	if err := progress.Open(root).Update("4.1", func(r *progress.Record) { r.Runs++ }); err != nil {
		t.Errorf("Update beside the lock of a process that has crashed: %v", err)
	}
}

func TestLoad_WhatCannotBeReadIsPutAside(t *testing.T) {
	root := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file(root)), 0o755), os.WriteFile(file(root), []byte(`{"exercises": {"4.1"`), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := progress.Open(root).Load()
	lost, ok := errors.AsType[*progress.LostError](err)
	if !ok {
		t.Fatalf("Load = %v, want a LostError", err)
	}
	if text, err := os.ReadFile(lost.Aside); err != nil || string(text) != `{"exercises": {"4.1"` {
		t.Errorf("what was put aside says %q, %v", text, err)
	}
	if p, err := progress.Open(root).Load(); err != nil || len(p.Exercises) != 0 {
		t.Errorf("then Load = %v, %v, want a fresh start", p, err)
	}
}

func TestUpdate_AFailureKeepsWhatWasThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it waits for the lock
		root := t.TempDir()
		if err := progress.Open(root).Update("4.1", func(r *progress.Record) { r.Passed = "abc" }); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(file(root))
		if err := os.Mkdir(filepath.Join(root, progress.Dir, "progress.lock"), 0o755); err != nil { // what no process can take
			t.Fatal(err)
		}
		if err := progress.Open(root).Update("4.1", func(r *progress.Record) { r.Passed = "new" }); err == nil {
			t.Error("Update succeeds without the lock")
		}
		if after, _ := os.ReadFile(file(root)); string(after) != string(before) {
			t.Errorf("the file says %s, want what it said before", after)
		}
	})
}
