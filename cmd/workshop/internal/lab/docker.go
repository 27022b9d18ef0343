package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// docker runs the program docker, or one like it.
type docker struct {
	dir string   // where it runs
	env []string // beside that of this process
}

// run returns what a program prints. Its error is a sentence.
func (d *docker) run(ctx context.Context, program string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = d.dir
	command.Env = append(os.Environ(), d.env...)
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	err := command.Run()
	if err == nil {
		return strings.TrimSpace(out.String()), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return strings.TrimSpace(out.String()), plainly(program, args, err, faults.String()+out.String())
}

// logs is what a container said last, on both of its outputs.
func (d *docker) logs(ctx context.Context, id string) string {
	command := exec.CommandContext(ctx, "docker", "logs", "--tail", "20", id)
	out, _ := command.CombinedOutput() // what there is of it
	return string(out)
}

// command is docker itself.
func (d *docker) command(ctx context.Context, args ...string) (string, error) {
	return d.run(ctx, "docker", args...)
}

// What several of Docker's sayings mean.
const (
	notRunning = "Docker is installed and does not run; start it (Docker Desktop, or systemctl start docker), and try again"
	portTaken  = "a port that the lab needs is taken; choose another with go tool workshop lab up -port 8090"
)

// troubles are what Docker says, and what that means.
var troubles = []struct{ says, means string }{
	{"Cannot connect to the Docker daemon", notRunning},
	{"error during connect", notRunning},
	{"permission denied while trying to connect", "you may not use Docker; add yourself to the group docker, log in again, and try again"},
	{"port is already allocated", portTaken},
	{"address already in use", portTaken},
	{"non-overlapping IPv4 address pool", "Docker has no addresses left for the lab's networks; " +
		"remove unused ones with docker network prune, and try again"},
	{"no space left on device", "the disk is full; make room, perhaps with docker system prune, and try again"},
}

// plainly makes a sentence of a failure.
func plainly(program string, args []string, err error, output string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not there; install Docker from https://docs.docker.com/get-docker, open a new terminal, and try again",
			program)
	}
	for _, t := range troubles {
		if strings.Contains(output, t.says) {
			return errors.New(t.means)
		}
	}
	return fmt.Errorf("%s %s failed: %s", program, args[0], lastLine(output, err.Error()))
}

// lastLine is the last that is not empty, or else otherwise.
func lastLine(text, otherwise string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return otherwise
}

// compose runs docker compose, or docker-compose where that is what there is.
func (l *Lab) compose(ctx context.Context, env []string, args ...string) error {
	d := docker{dir: l.Root, env: env}
	args = append([]string{"--project-name", l.Project, "--file", "docker-compose.yml"}, args...)
	if _, err := d.command(ctx, "compose", "version"); err == nil {
		_, err = d.command(ctx, append([]string{"compose"}, args...)...)
		return err
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		return errors.New("there is no Docker Compose; install the plugin docker-compose-v2, or docker-compose, and try again")
	}
	_, err := d.run(ctx, "docker-compose", args...)
	return err
}
