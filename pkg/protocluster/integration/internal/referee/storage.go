package referee

import (
	"fmt"
	"sync"
)

// StaleError says that a write was refused because a later activation has
// written.
type StaleError struct {
	Identity      string
	Token, Newest Token
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("referee: %s was written with token %s, that is after %s", e.Identity, e.Newest, e.Token)
}

// Storage keeps a register for each identity, and refuses what an activation
// writes once one with a higher token has written. It is only as strict as the
// fencing of writes: to read leaves no mark. Its methods may be called
// concurrently.
type Storage struct {
	mu        sync.Mutex
	registers map[string]register // guarded by mu
	clashes   []string
}

type register struct {
	value  int64
	writer Activation
}

// NewStorage returns a storage whose registers are 0.
func NewStorage() *Storage { return &Storage{registers: make(map[string]register)} }

// Load returns the register of an identity.
func (s *Storage) Load(identity string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registers[identity].value
}

// Save writes the register of an identity, or fails with a *StaleError and does
// nothing.
func (s *Storage) Save(by Activation, value int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.registers[by.Identity].writer
	switch order := by.Token.Compare(last.Token); {
	case order < 0:
		return &StaleError{Identity: by.Identity, Token: by.Token, Newest: last.Token}
	case order == 0 && last.Name != by.Name && by.Token != Token{}:
		s.clashes = append(s.clashes, fmt.Sprintf("%s was written by %v, and by %v", by.Identity, last, by))
	}
	s.registers[by.Identity] = register{value, by}
	return nil
}

// Clashes are the writes of two activations with one token, which are violations.
func (s *Storage) Clashes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.clashes...)
}
