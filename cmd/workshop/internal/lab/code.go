package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// Code is whose lookup the members run.
type Code string

// The codes.
const (
	Library   Code = "library"   // the library's own, which never has two of one
	Solutions Code = "solutions" // the workshop's solutions of chapter 4
	Mine      Code = "mine"      // what the learner wrote in chapter 4
)

// Codes are all of them.
var Codes = []Code{Library, Solutions, Mine}

func (c Code) image() string { return "protocluster-lab/member:" + string(c) }

// title is what a person calls it.
func (c Code) title() string {
	switch c {
	case Solutions:
		return "the solutions of chapter 4"
	case Mine:
		return "your chapter 4"
	}
	return "the library's lookup"
}

// lookup is the flag of the member.
func (c Code) lookup() string {
	if c == Library {
		return "partition"
	}
	return "chapter4"
}

// memberImage makes the member's image of a code, from scratch and without a registry.
func (l *Lab) memberImage(ctx context.Context, c Code, arch string) error {
	dir := l.path("image-" + string(c))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := l.build(ctx, c, arch, filepath.Join(dir, "member")); err != nil {
		return err
	}
	const dockerfile = "FROM scratch\nCOPY member /member\nUSER 65532:65532\nENTRYPOINT [\"/member\"]\n"
	if err := durable.Write(filepath.Join(dir, "Dockerfile"), []byte(dockerfile)); err != nil {
		return err
	}
	_, err := l.docker.command(ctx, "build", "--quiet", "--tag", c.image(), "--label", "protocluster.lab=true", dir)
	return err
}

// build makes the member program for Docker's machine.
func (l *Lab) build(ctx context.Context, c Code, arch, program string) error {
	// Without -trimpath, for which the standard library would be compiled anew.
	args := []string{"build", "-ldflags=-s -w", "-o", program}
	if c != Library {
		args = append(args, "-tags=chapter4")
	}
	if c == Solutions {
		plan := new(variant.Plan)
		for _, e := range l.Course.Exercises() {
			if !e.Written() {
				continue
			}
			if err := plan.Solution(e); err != nil {
				return err
			}
		}
		overlay, err := plan.Write(l.Root)
		if err != nil {
			return err
		}
		args = append(args, "-overlay="+overlay)
	}
	command := exec.CommandContext(ctx, "go", append(args, "./cmd/member")...)
	command.Dir = l.Root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return uncompiled(c, output.String(), err)
	}
	return nil
}

var place = regexp.MustCompile(`(?m)^(\S+\.go:\d+)(?::\d+)?: (.*)$`)

// uncompiled says where the compiler stopped.
func uncompiled(c Code, output string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no Go in the PATH; install Go 1.26 or later from https://go.dev/dl, and open a new terminal")
	}
	what := "the member"
	if c == Mine {
		what = "the member with your code"
	}
	if at := place.FindStringSubmatch(output); at != nil {
		return fmt.Errorf("%s does not compile: %s: %s; correct that, and try again", what, strings.TrimPrefix(at[1], "./"), at[2])
	}
	return fmt.Errorf("%s does not compile: %s", what, lastLine(output, err.Error()))
}
