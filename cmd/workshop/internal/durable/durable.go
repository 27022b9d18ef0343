// Package durable writes files that are whole or not there: a crash or a full
// disk leaves what was there before.
//
// It starts no goroutine. Write may run at once in several goroutines and
// processes; the last one wins.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// FullError says that the disk is full. What the file said before is still
// there.
type FullError struct {
	File string
	Err  error
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s could not be written, because the disk is full; what it said before is kept: make room and try again", e.File)
}

// Unwrap returns the system's error.
func (e *FullError) Unwrap() error { return e.Err }

// Write replaces what file says by text, making its folder if need be.
func Write(file string, text []byte) error {
	return full(file, write(file, text))
}

// Room returns a *FullError if a file of that size cannot be written to dir, and
// leaves none there.
func Room(dir string, size int) error {
	probe, err := os.CreateTemp(dir, "room.*.tmp")
	if err != nil {
		return full(dir, err)
	}
	defer func() { _ = os.Remove(probe.Name()) }()
	_, err = probe.Write(make([]byte, size))
	return full(probe.Name(), errors.Join(err, probe.Close()))
}

// full makes a *FullError of an error that says so.
func full(file string, err error) error {
	if errors.Is(err, diskFull) || errors.Is(err, errShort) {
		return &FullError{File: file, Err: err}
	}
	return err
}

var errShort = errors.New("fewer bytes were written than given")

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // it is not there any more if all went well
	n, err := temporary.Write(text)
	if err == nil && n < len(text) {
		err = errShort
	}
	if err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
