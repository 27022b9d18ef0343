// Package seal notices that tests of an exercise were edited, so that a green
// result means what it says. It guards against accidents, not against cheats.
//
// It starts no goroutine; its functions may be called concurrently.
package seal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

// Name is the file in a folder of tests that has a line for each Go file there:
// its SHA-256 and its name.
const Name = "tests.sum"

// Write seals the tests of e as they are.
func Write(e *course.Exercise) error {
	text, err := sums(e)
	if err != nil {
		return err
	}
	return durable.Write(e.Path(e.TestDir(), Name), text)
}

// Broken lists, as sentences, what is not as it was when the tests were sealed.
func Broken(e *course.Exercise) ([]string, error) {
	sealed, err := os.ReadFile(e.Path(e.TestDir(), Name))
	if errors.Is(err, os.ErrNotExist) {
		return []string{Name + " was deleted"}, nil
	}
	if err != nil {
		return nil, err
	}
	now, err := sums(e)
	if err != nil {
		return nil, err
	}
	want, got := parse(sealed), parse(now)
	var faults []string
	for _, line := range want.names {
		switch sum, there := got.sums[line]; {
		case !there:
			faults = append(faults, line+" was deleted")
		case sum != want.sums[line]:
			faults = append(faults, line+" was edited")
		}
	}
	for _, name := range got.names {
		if _, known := want.sums[name]; !known {
			faults = append(faults, name+" was added")
		}
	}
	return faults, nil
}

func sums(e *course.Exercise) ([]byte, error) {
	names, err := e.GoFiles(e.TestDir())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.TestDir(), name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s  %s\n", Hash(text), name)
	}
	return b.Bytes(), nil
}

// Hash is that of a text whose lines may end in either way.
func Hash(text []byte) string {
	sum := sha256.Sum256(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	return hex.EncodeToString(sum[:])
}

type list struct {
	names []string
	sums  map[string]string
}

func parse(text []byte) list {
	l := list{sums: make(map[string]string)}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if sum, name, ok := strings.Cut(strings.TrimSpace(lines.Text()), "  "); ok {
			l.names = append(l.names, name)
			l.sums[name] = sum
		}
	}
	return l
}
