// Package progress keeps what a learner has done, on the learner's own machine.
//
// An exercise is passed as long as its code and its tests are those that were
// green: what counts is the hash of their content, so nothing has to be marked
// and nothing can be marked by mistake. A crash or a full disk loses nothing
// that was there before; what cannot be read is put aside and not thrown away.
//
// The package starts no goroutine. Update blocks while another process updates,
// for two seconds at most. Read progress.go, then fingerprint.go and lock.go.
package progress

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

// Dir is where progress is kept, below the root; git ignores it.
const Dir = ".workshop"

// restPause is how long nothing may happen before it counts as a break.
const restPause = 5 * time.Minute

// Progress is what a learner has done.
type Progress struct {
	Exercises map[string]Record `json:"exercises"` // by id
}

// Record is what a learner has done in one exercise.
type Record struct {
	Passed      string        `json:"passed,omitempty"` // fingerprint of the code and tests that were green
	Hints       int           `json:"hints,omitempty"`  // the highest level that was shown
	Runs        int           `json:"runs,omitempty"`
	Active      time.Duration `json:"active,omitempty"` // without breaks
	Last        time.Time     `json:"last,omitzero"`    // when something was last done
	Predictions []Prediction  `json:"predictions,omitempty"`
}

// Prediction is how well a learner knew what the tests would say: the mean
// square of the difference, 0 for a clairvoyant and 0.25 for a coin.
type Prediction struct {
	At    time.Time `json:"at"`
	Tests int       `json:"tests"`
	Score float64   `json:"score"`
}

// activeAt adds the time since the last activity, unless that was a break.
func (r *Record) activeAt(now time.Time) {
	if pause := now.Sub(r.Last); pause > 0 && pause < restPause {
		r.Active += pause
	}
	r.Last = now
}

// Store is the file of one working copy.
type Store struct {
	file string
	lock string
}

// Open returns the store below root. It touches no file.
func Open(root string) *Store {
	dir := filepath.Join(root, Dir)
	return &Store{file: filepath.Join(dir, "progress.json"), lock: filepath.Join(dir, "progress.lock")}
}

// LostError says that the progress could not be read, and where it is now.
type LostError struct {
	Aside string
	Err   error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("your progress could not be read (%v) and is kept as %s; "+
		"go tool workshop report runs everything once and finds out again", e.Err, e.Aside)
}

// Unwrap returns why it could not be read.
func (e *LostError) Unwrap() error { return e.Err }

// Load returns the progress. With a *LostError it is empty.
func (s *Store) Load() (Progress, error) {
	p := Progress{Exercises: map[string]Record{}}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		aside := s.file + ".unreadable"
		if err := os.Rename(s.file, aside); err != nil {
			return Progress{Exercises: map[string]Record{}}, err
		}
		return Progress{Exercises: map[string]Record{}}, &LostError{Aside: aside, Err: err}
	}
	if p.Exercises == nil {
		p.Exercises = map[string]Record{}
	}
	return p, nil
}

// Update changes the record of an exercise. If it fails, the progress is what
// it was before.
func (s *Store) Update(id string, change func(r *Record)) error {
	unlock, err := acquire(s.lock)
	if err != nil {
		return fmt.Errorf("your progress could not be saved: %w", err)
	}
	defer unlock()
	p, err := s.Load()
	if _, lost := errors.AsType[*LostError](err); err != nil && !lost {
		return fmt.Errorf("your progress could not be saved: %w", err)
	}
	r := p.Exercises[id]
	r.activeAt(time.Now())
	change(&r)
	p.Exercises[id] = r
	text, encoding := json.MarshalIndent(p, "", "  ")
	if encoding == nil {
		encoding = durable.Write(s.file, append(text, '\n'))
	}
	if encoding != nil {
		return fmt.Errorf("your progress could not be saved: %w", encoding)
	}
	return err // a *LostError, if any
}
