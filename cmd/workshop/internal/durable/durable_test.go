package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

func TestWrite_ReplacesWholeFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "b.json")
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			if err := durable.Write(file, []byte(strings.Repeat(string(rune('a'+i)), 10_000))); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	text, err := os.ReadFile(file)
	if err != nil || len(text) != 10_000 || strings.Count(string(text), string(text[:1])) != 10_000 {
		t.Errorf("%d bytes, %v, want 10000 equal ones", len(text), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v, want one", len(left), err)
	}
}

func TestWrite_KeepsTheOldFileIfItCannot(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "progress.json")
	if err := durable.Write(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := durable.Write(filepath.Join(dir, "full"), []byte("new")); err == nil {
		t.Error("Write replaced a folder")
	}
	if err := durable.Write(filepath.Join(file, "below"), []byte("new")); err == nil {
		t.Error("Write made a folder of a file")
	}
	if text, _ := os.ReadFile(file); string(text) != "old" {
		t.Errorf("the file says %q, want old", text)
	}
}

func TestFullError_SaysWhatToDo(t *testing.T) {
	err := &durable.FullError{File: "progress.json", Err: syscall.ENOSPC}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "progress.json") || !strings.Contains(err.Error(), "make room") {
		t.Errorf("error = %v", err)
	}
}

func TestRoom_LeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := durable.Room(dir, 1<<20); err != nil {
		t.Errorf("Room = %v, want nil", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v, want none", len(left), err)
	}
	if err := durable.Room(filepath.Join(dir, "missing"), 1); err == nil {
		t.Error("there is room in a folder that does not exist")
	} else if _, full := errors.AsType[*durable.FullError](err); full {
		t.Errorf("a folder that does not exist is full: %v", err)
	}
}
