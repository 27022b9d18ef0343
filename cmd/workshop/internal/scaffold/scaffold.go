// Package scaffold writes the first files of an exercise. They compile, they
// fail, and they say what belongs where.
//
// It starts no goroutine and overwrites nothing.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"text/template"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

//go:embed files/*.tmpl
var files embed.FS

// Write makes those files of e that are not there, and returns their names.
func Write(e *course.Exercise) ([]string, error) {
	templates, err := template.ParseFS(files, "files/*.tmpl")
	if err != nil {
		return nil, err
	}
	const example = "what-somebody-believes"
	targets := []struct{ template, file string }{
		{"readme.tmpl", path.Join(e.LearnerDir(), "README.md")},
		{"hints.tmpl", path.Join(e.LearnerDir(), "HINTS.md")},
		{"solution.tmpl", path.Join(e.SolutionDir(), e.Package()+".go")},
		{"test.tmpl", path.Join(e.TestDir(), e.Package()+"_test.go")},
		{"wrong.tmpl", path.Join(e.WrongDir(example), e.Package()+".go")},
		{"misconception.tmpl", path.Join(e.WrongDir(example), "misconception.md")},
	}
	data := map[string]any{
		"ID": e.ID, "Title": e.Title, "Objective": e.Objective, "Minutes": e.Minutes, "Package": e.Package(),
		"Learner": e.LearnerDir(), "Tests": e.TestDir(), "Example": example,
	}
	var written []string
	for _, target := range targets {
		if _, err := os.Stat(e.Path(target.file)); !errors.Is(err, os.ErrNotExist) {
			continue
		}
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, target.template, data); err != nil {
			return written, err
		}
		if err := durable.Write(e.Path(target.file), text.Bytes()); err != nil {
			return written, err
		}
		written = append(written, target.file)
	}
	if len(written) == 0 {
		return nil, fmt.Errorf("all files of %s are there", e.ID)
	}
	return written, nil
}
