package progress

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
)

// Fingerprint is that of the learner's code of an exercise and of its tests. For
// a lab it is that of all code of its chapter.
func Fingerprint(e *course.Exercise) (string, error) {
	sum := sha256.New()
	dirs := []string{e.LearnerDir(), e.TestDir(), "exercises_test/internal"}
	if !e.Written() {
		dirs[0] = path.Dir(e.LearnerDir())
	}
	for _, dir := range dirs {
		root := e.Path(dir)
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".go" {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			fmt.Fprintln(sum, dir, filepath.ToSlash(name), seal.Hash(text))
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
