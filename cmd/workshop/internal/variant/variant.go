// Package variant has the tests run against other code than the learner's: the
// solution, the stub, or a solution that is known to be wrong.
//
// The tests import the learner's packages and nothing else. A file for go test
// -overlay puts other files in their place; what else lies in the learner's
// folder is hidden. Nothing in the tree is changed. Overlays and stubs are kept
// in a cache folder, under names that depend on their content only, so that go
// test caches its results.
//
// It starts no goroutine. Plan is for one goroutine; Write may run in several
// processes at once.
package variant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/stub"
)

// Cache is the folder for overlays and stubs, below the root.
const Cache = ".workshop/cache"

// Plan says whose code stands for which exercise; the learner's by default. The
// zero Plan is the learner's own code.
type Plan struct {
	replace map[string]string // absolute paths; "" hides a file
}

// Solution has the solution stand for e.
func (p *Plan) Solution(e *course.Exercise) error { return p.use(e, e.SolutionDir()) }

// Wrong has the wrong solution with that misconception stand for e.
func (p *Plan) Wrong(e *course.Exercise, misconception string) error {
	return p.use(e, e.WrongDir(misconception))
}

// Stub has a stub that is made now stand for e.
func (p *Plan) Stub(e *course.Exercise) error {
	stubs, err := Stubs(e)
	if err != nil {
		return err
	}
	files := map[string]string{}
	for name, text := range stubs {
		file := e.Path(Cache, "stubs", e.Chapter().Dir, e.Dir, name)
		if err := keep(file, text); err != nil {
			return err
		}
		files[name] = file
	}
	return p.put(e, files)
}

// Stubs returns the stubs of e by the names of their files.
func Stubs(e *course.Exercise) (map[string][]byte, error) {
	names, err := e.GoFiles(e.SolutionDir())
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no Go files", e.SolutionDir())
	}
	stubs := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.SolutionDir(), name))
		if err != nil {
			return nil, err
		}
		if stubs[name], err = stub.Of(path.Join(e.SolutionDir(), name), text); err != nil {
			return nil, err
		}
	}
	return stubs, nil
}

// File has one file stand for e's own of that name, beside what else does.
func (p *Plan) File(e *course.Exercise, name, replacement string) {
	p.set(e.Path(e.LearnerDir(), name), replacement)
}

func (p *Plan) use(e *course.Exercise, dir string) error {
	names, err := e.GoFiles(dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%s has no Go files", dir)
	}
	files := map[string]string{}
	for _, name := range names {
		files[name] = e.Path(dir, name)
	}
	return p.put(e, files)
}

func (p *Plan) put(e *course.Exercise, files map[string]string) error {
	own, err := e.GoFiles(e.LearnerDir())
	if err != nil {
		return err
	}
	for _, name := range own {
		p.set(e.Path(e.LearnerDir(), name), "")
	}
	for name, file := range files {
		p.set(e.Path(e.LearnerDir(), name), file)
	}
	return nil
}

func (p *Plan) set(file, replacement string) {
	if p.replace == nil {
		p.replace = make(map[string]string)
	}
	p.replace[file] = replacement
}

// Write returns the file for go test -overlay; "" if the plan replaces nothing.
func (p *Plan) Write(root string) (string, error) {
	if len(p.replace) == 0 {
		return "", nil
	}
	text, err := json.MarshalIndent(struct{ Replace map[string]string }{p.replace}, "", "\t")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	file := filepath.Join(root, filepath.FromSlash(Cache), "overlay-"+hex.EncodeToString(sum[:8])+".json")
	return file, keep(file, text)
}

// keep writes file unless that is what it says.
func keep(file string, text []byte) error {
	if old, err := os.ReadFile(file); err == nil && string(old) == string(text) {
		return nil
	}
	return durable.Write(file, text)
}
