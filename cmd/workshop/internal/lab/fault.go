package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what can be done to a member.
type Verb string

// The verbs.
const (
	Kill      Verb = "kill"
	Pause     Verb = "pause"
	Resume    Verb = "resume"
	Partition Verb = "partition"
	Heal      Verb = "heal"
	Restart   Verb = "restart"
)

// Verbs are all of them.
var Verbs = []Verb{Kill, Pause, Resume, Partition, Heal, Restart}

// Do does it to a member; with is the one to be cut from, for Partition and Heal. It
// returns when Docker has done it, or, for Restart, when the member is up again.
func (l *Lab) Do(ctx context.Context, verb Verb, who, with string) error {
	if !slices.Contains(Verbs, verb) {
		return fmt.Errorf("nobody can %q a member; go tool workshop lab lists what one can do", verb)
	}
	if !slices.Contains(Members, who) {
		return fmt.Errorf("there is no %q to %s; the members are %s", who, verb, strings.Join(Members, ", "))
	}
	cuts := verb == Partition || verb == Heal
	if cuts && (with == who || with != "consul" && with != "client" && !slices.Contains(Members, with)) {
		return fmt.Errorf("%s %s takes whom from: consul, client or another member; as in go tool workshop lab %s %s consul",
			verb, who, verb, who)
	}
	c, err := l.container(ctx, who)
	if err != nil {
		return err
	}
	if err := fits(verb, c); err != nil {
		return err
	}
	a := Action{At: time.Now(), Verb: verb, Who: who}
	switch verb {
	case Kill, Pause:
		_, err = l.docker.command(ctx, string(verb), c.ID)
	case Resume:
		_, err = l.docker.command(ctx, "unpause", c.ID)
	case Restart:
		err = l.restart(ctx, c)
	case Partition:
		a.With = with
		err = l.cut(ctx, c, with)
	case Heal:
		a.With = with
		err = l.join(ctx, c, with)
	}
	if err != nil {
		return err
	}
	a.Took = time.Since(a.At)
	return l.note(a)
}

// fits tells if a verb makes no sense for a container as it is.
func fits(verb Verb, c container) error {
	var wrong string
	switch running := c.State == "running"; {
	case verb == Resume && c.State != "paused":
		wrong = "resume needs one that is paused"
	case (verb == Kill || verb == Pause) && !running:
		wrong = "go tool workshop lab restart, or resume, brings it back"
	case (verb == Partition || verb == Heal) && c.State != "running" && c.State != "paused":
		wrong = "go tool workshop lab restart brings it back"
	case verb == Restart && c.State == "paused":
		wrong = "go tool workshop lab resume comes first"
	}
	if wrong == "" {
		return nil
	}
	return fmt.Errorf("%s is %s; %s", c.Service, c.State, wrong)
}

// grace is how long a member may take to leave, in seconds.
const grace = "15"

// restart has a member leave, if it runs, and come back.
func (l *Lab) restart(ctx context.Context, c container) error {
	verb := []string{"restart", "--time", grace, c.ID}
	if c.State != "running" {
		verb = []string{"start", c.ID}
	}
	if _, err := l.docker.command(ctx, verb...); err != nil {
		return err
	}
	return l.await(ctx, func(all map[string]container) bool { return all[c.Service].Health == "healthy" })
}

// link is the network of a member and another.
func (l *Lab) link(who, with string) string {
	number := func(name string) string { return strings.TrimPrefix(name, "member-") }
	switch with {
	case "consul":
		return l.Project + "_store"
	case "client":
		return l.Project + "_link-" + number(who) + "-client"
	}
	pair := []string{number(who), number(with)}
	slices.Sort(pair)
	return l.Project + "_link-" + strings.Join(pair, "-")
}

// cut takes a member off the network that it has in common with another. What was
// on its way is lost.
func (l *Lab) cut(ctx context.Context, c container, with string) error {
	linked, err := l.linked(ctx, c)
	if err != nil {
		return err
	}
	if !slices.Contains(linked[c.Service], l.link(c.Service, with)) {
		return fmt.Errorf("%s is cut from %s already; go tool workshop lab heal joins them", c.Service, with)
	}
	_, err = l.docker.command(ctx, "network", "disconnect", l.link(c.Service, with), c.ID)
	return err
}

// join undoes cut, from whichever side that was.
func (l *Lab) join(ctx context.Context, c container, with string) error {
	ends := []container{c}
	if slices.Contains(Members, with) {
		peer, err := l.container(ctx, with)
		if err != nil {
			return err
		}
		ends = append(ends, peer)
	}
	linked, err := l.linked(ctx, ends...)
	if err != nil {
		return err
	}
	network, done := l.link(c.Service, with), false
	for _, end := range ends {
		if slices.Contains(linked[end.Service], network) {
			continue
		}
		args := []string{"network", "connect"}
		if with != "consul" {
			args = append(args, "--alias", end.Service+".lab")
		}
		if _, err := l.docker.command(ctx, append(args, network, end.ID)...); err != nil {
			return err
		}
		done = true
	}
	if !done {
		return fmt.Errorf("%s is not cut from %s; go tool workshop lab status says who is", c.Service, with)
	}
	return nil
}

// linked are the networks that containers are on, by their service.
func (l *Lab) linked(ctx context.Context, containers ...container) (map[string][]string, error) {
	if len(containers) == 0 {
		return nil, nil
	}
	const format = `{{index .Config.Labels "com.docker.compose.service"}}{{range $name, $_ := .NetworkSettings.Networks}} {{$name}}{{end}}`
	args := []string{"inspect", "--format", format}
	for _, c := range containers {
		args = append(args, c.ID)
	}
	out, err := l.docker.command(ctx, args...)
	linked := make(map[string][]string)
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 0 {
			linked[fields[0]] = fields[1:]
		}
	}
	return linked, err
}

// await waits until the containers are as they should be, for half a minute.
func (l *Lab) await(ctx context.Context, ok func(map[string]container) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second,
		errors.New("a container is not up after 30 s; go tool workshop lab status says which, and docker logs why"))
	defer cancel()
	next := time.NewTicker(200 * time.Millisecond)
	defer next.Stop()
	for {
		all, err := l.containers(ctx)
		if err != nil {
			return err
		}
		if ok(all) {
			return nil
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// cuts are the pairs that are cut now.
func (l *Lab) cuts(ctx context.Context, all map[string]container) ([][2]string, error) {
	var members []container
	for _, name := range Members {
		if c, ok := all[name]; ok {
			members = append(members, c)
		}
	}
	on, err := l.linked(ctx, members...)
	if err != nil {
		return nil, err
	}
	var cuts [][2]string
	for i, a := range Members {
		for _, b := range append([]string{"consul", "client"}, Members[i+1:]...) {
			network := l.link(a, b)
			apart := on[a] != nil && !slices.Contains(on[a], network)
			if peer, member := on[b]; member {
				apart = apart || !slices.Contains(peer, network)
			}
			if apart {
				cuts = append(cuts, [2]string{a, b})
			}
		}
	}
	return cuts, nil
}
