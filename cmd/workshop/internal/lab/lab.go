package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
)

const (
	// Dir is where a lab keeps what it has to remember, below the root.
	Dir = ".workshop/lab"
	// Project is the usual name of the one lab of a machine.
	Project = "protocluster-lab"
	// Port is the usual port of the page, on 127.0.0.1.
	Port = 8080
	// Watched is the user that the scenarios watch.
	Watched = "123"
)

// Members are the names of those that can be broken.
var Members = []string{"member-1", "member-2", "member-3"}

// Lab is a cluster in containers.
type Lab struct {
	Course  *course.Course
	Root    string // of the repository
	Project string // which all that belongs to it is labelled with
	Tell    func(format string, args ...any)

	docker docker
}

// Open returns the lab of that project; it may run or not.
func Open(c *course.Course, project string, tell func(format string, args ...any)) *Lab {
	return &Lab{Course: c, Root: c.Root, Project: project, Tell: tell, docker: docker{dir: c.Root}}
}

// ErrDown says that the lab does not run.
var ErrDown = errors.New("the lab does not run; go tool workshop lab up starts it")

// state is what Up leaves for later commands.
type state struct {
	Code       Code        `json:"code"`
	Port       int         `json:"port"`       // of the page
	ClientPort int         `json:"clientPort"` // of the page without buttons
	Token      string      `json:"token"`      // which the control server knows
	Since      time.Time   `json:"since"`      // what happened before is told already
	Prediction *Prediction `json:"prediction,omitempty"`
}

func (l *Lab) path(name string) string {
	return filepath.Join(l.Root, filepath.FromSlash(Dir), l.Project, name)
}

func (l *Lab) state() (*state, error) {
	text, err := os.ReadFile(l.path("state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrDown
	}
	s := new(state)
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		return nil, fmt.Errorf("what the lab remembers cannot be read: %w; go tool workshop lab down, then up, begins anew", err)
	}
	return s, nil
}

func (l *Lab) remember(s *state) error {
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return durable.Write(l.path("state.json"), append(text, '\n'))
}

// Action is what was done to the lab, by whom it was found here.
type Action struct {
	At   time.Time `json:"at"`
	Verb Verb      `json:"verb"`
	Who  string    `json:"who"`
	With string    `json:"with,omitempty"` // from whom it was cut
	Took Duration  `json:"took,omitzero"`  // until Docker had done it
}

// Duration is a time.Duration that a person can read in a file.
type Duration = time.Duration

// note keeps an action for the timeline.
func (l *Lab) note(a Action) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.path("actions.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// actions are those since an instant.
func (l *Lab) actions(since time.Time) ([]Action, error) {
	text, err := os.ReadFile(l.path("actions.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var all []Action
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var a Action
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", l.path("actions.jsonl"), err)
		}
		if !a.At.Before(since) {
			all = append(all, a)
		}
	}
	return all, err
}

// container is one of the lab's.
type container struct {
	ID, Service, State, Health string
}

// containers returns those of the project by their service; also those that have
// ended.
func (l *Lab) containers(ctx context.Context) (map[string]container, error) {
	out, err := l.docker.command(ctx, "ps", "--all", "--no-trunc", "--filter", "label=com.docker.compose.project="+l.Project,
		"--format", `{{.ID}}|{{.Label "com.docker.compose.service"}}|{{.State}}|{{.Status}}`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]container)
	for line := range strings.Lines(out) {
		parts := strings.SplitN(strings.TrimSpace(line), "|", 4)
		if len(parts) < 4 {
			continue
		}
		c := container{ID: parts[0], Service: parts[1], State: parts[2]}
		if _, health, ok := strings.Cut(parts[3], "("); ok && c.State == "running" {
			c.Health = strings.TrimPrefix(strings.TrimSuffix(health, ")"), "health: ")
		}
		all[c.Service] = c
	}
	return all, nil
}

// container is the one of a service, which has to be there.
func (l *Lab) container(ctx context.Context, service string) (container, error) {
	all, err := l.containers(ctx)
	if err != nil {
		return container{}, err
	}
	if c, ok := all[service]; ok {
		return c, nil
	}
	if len(all) == 0 {
		return container{}, ErrDown
	}
	return container{}, fmt.Errorf("the lab has no %s; go tool workshop lab down, then up, makes it whole", service)
}

// Report asks the client what it has seen since an instant.
func (l *Lab) Report(ctx context.Context, since time.Time) (*witness.Report, error) {
	c, err := l.container(ctx, "client")
	if err != nil {
		return nil, err
	}
	if c.State != "running" {
		return nil, fmt.Errorf("the client is %s, and nobody sees what happens; go tool workshop lab down, then up, starts it again",
			c.State)
	}
	query := ""
	if !since.IsZero() {
		query = "?since=" + url.QueryEscape(since.UTC().Format(time.RFC3339Nano))
	}
	out, err := l.docker.command(ctx, "exec", c.ID, "/member", "-probe", "http://127.0.0.1:7070/report"+query)
	if err != nil {
		return nil, fmt.Errorf("the client does not tell what it has seen: %w", err)
	}
	r := new(witness.Report)
	if err := json.Unmarshal([]byte(out), r); err != nil {
		return nil, fmt.Errorf("what the client tells cannot be read: %w", err)
	}
	return r, nil
}

// Owner is the member on which a user lives, as far as the client knows.
func (l *Lab) Owner(ctx context.Context, user string) (string, error) {
	r, err := l.Report(ctx, time.Now())
	if err != nil {
		return "", err
	}
	home := r.Homes[user]
	if !slices.Contains(Members, home) {
		return "", fmt.Errorf("user/%s lives nowhere at the moment; go tool workshop lab status says who is up", user)
	}
	return home, nil
}
