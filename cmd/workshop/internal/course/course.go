// Package course knows what the workshop consists of: its chapters and
// exercises, where their files are, and what is wrong with the manifest.
//
// A Course does not change once it is loaded, so it may be used concurrently.
// The package starts no goroutine. Read course.go, then exercise.go.
package course

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Manifest is where the course is described, below its root.
const Manifest = "chapters/workshop.json"

// Course is the whole workshop.
type Course struct {
	Root     string // the folder of the main module, absolute
	Chapters []*Chapter
}

// Chapter is what is read and solved in one go.
type Chapter struct {
	ID        string // "4"
	Dir       string // "chapter4", below chapters, solutions and exercises_test
	Title     string
	Exercises []*Exercise
}

// ErrNoCourse says that a folder is not inside the workshop.
var ErrNoCourse = errors.New("this is not inside the workshop; change to the folder that you cloned")

// Find returns the root of the workshop that dir is in.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, filepath.FromSlash(Manifest))); missing == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoCourse
		}
		dir = parent
	}
	return "", err
}

// Load reads the course below root. Every fault of the manifest is told at
// once.
func Load(root string) (*Course, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(Manifest)))
	if err != nil {
		return nil, fmt.Errorf("course: %w", err)
	}
	c := &Course{Root: root}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var manifest struct{ Chapters []*Chapter }
	if err := decoder.Decode(&manifest); err != nil {
		return nil, fmt.Errorf("course: %s: %w", Manifest, err)
	}
	c.Chapters = manifest.Chapters
	var faults []error
	known := map[string]bool{}
	for _, chapter := range c.Chapters {
		for _, e := range chapter.Exercises {
			e.chapter, e.root = chapter, root
			faults = append(faults, e.validate(known)...)
			known[e.ID] = true
		}
	}
	return c, errors.Join(faults...)
}

// Exercises returns all that are written, in the order of the course.
func (c *Course) Exercises() []*Exercise {
	var all []*Exercise
	for _, chapter := range c.Chapters {
		for _, e := range chapter.Exercises {
			if !e.Draft {
				all = append(all, e)
			}
		}
	}
	return all
}

// Exercise finds one by its id ("4.6"), its folder or its package.
func (c *Course) Exercise(name string) (*Exercise, error) {
	name = strings.ToLower(strings.TrimSuffix(filepath.ToSlash(name), "/"))
	if i := strings.LastIndex(name, "/"); i >= 0 {
		name = name[i+1:]
	}
	var ids []string
	for _, chapter := range c.Chapters {
		for _, e := range chapter.Exercises {
			switch {
			case name != e.ID && name != e.Dir && name != e.Package():
			case e.Draft:
				return nil, fmt.Errorf("exercise %s, %s, is still being written", e.ID, e.Title)
			default:
				return e, nil
			}
			if !e.Draft {
				ids = append(ids, e.ID)
			}
		}
	}
	return nil, fmt.Errorf("there is no exercise %q; the exercises are %s", name, strings.Join(ids, ", "))
}

// Draft finds an exercise that is still to be written.
func (c *Course) Draft(id string) (*Exercise, error) {
	for _, chapter := range c.Chapters {
		for _, e := range chapter.Exercises {
			switch {
			case e.ID != id:
			case e.Draft:
				return e, nil
			default:
				return nil, fmt.Errorf("%s, %s, is written already", e.ID, e.Title)
			}
		}
	}
	return nil, fmt.Errorf("%s has no exercise %q; add it there first, with \"draft\": true", Manifest, id)
}

// All returns every exercise of the manifest, drafts too.
func (c *Course) All() []*Exercise {
	var all []*Exercise
	for _, chapter := range c.Chapters {
		all = append(all, chapter.Exercises...)
	}
	return all
}
