package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

// labCommands are what can be done with the lab, in the order of the help.
var labCommands = []struct{ name, args, brief string }{
	{"up", "[-code mine] [-port 8080]", "start it; -code is library, solutions or mine"},
	{"status", "", "say who runs, and where users live"},
	{"predict", "SCENARIO", "say what you think will happen"},
	{"play", "SCENARIO", "do all that a scenario does: kill, zombie, consul, split or rolling"},
	{"kill", "MEMBER", "end it at once; a MEMBER is member-2, or owner, on which user/123 lives"},
	{"pause", "MEMBER", "have it stand still"},
	{"resume", "MEMBER", "let it go on"},
	{"partition", "MEMBER FROM", "cut it from consul, client or another member"},
	{"heal", "[MEMBER FROM]", "undo that, or all cuts"},
	{"restart", "[MEMBER|all]", "have it leave and come back; all, one after another"},
	{"check", "", "say what became of the promises, and of your prediction"},
	{"down", "", "remove all that is of the lab"},
}

// labOptions are the flags of all lab commands.
type labOptions struct {
	code    string
	port    int
	project string
	lookup  string
}

// runLab does one thing with the lab.
func runLab(ctx context.Context, a *app, args []string) error {
	o := labOptions{}
	rest, err := flags("lab", args, func(f *flag.FlagSet) {
		f.StringVar(&o.code, "code", string(lab.Library), "whose lookup the members run: library, solutions or mine")
		f.IntVar(&o.port, "port", lab.Port, "of the page, on 127.0.0.1")
		f.StringVar(&o.project, "project", lab.Project, "`name` that all of the lab is labelled with")
		f.StringVar(&o.lookup, "lookup", "", "a `lookup` of cmd/member instead of the code's own")
	})
	if err != nil {
		return err
	}
	l := lab.Open(a.course, o.project, func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) })
	if len(rest) == 0 {
		return labHelp(ctx, a, l)
	}
	switch verb, rest := rest[0], rest[1:]; verb {
	case "up":
		return labUp(ctx, a, l, o)
	case "images":
		return l.Images(ctx)
	case "serve":
		return l.Serve(ctx)
	case "status":
		return labStatus(ctx, a, l)
	case "predict":
		return labPredict(a, l, rest)
	case "play":
		return labPlay(ctx, l, rest)
	case "check":
		return labCheck(ctx, a, l)
	case "down":
		if err := l.Down(ctx); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "The lab is gone.")
		return nil
	default:
		if slices.Contains(lab.Verbs, lab.Verb(verb)) {
			return labDo(ctx, a, l, lab.Verb(verb), rest)
		}
		return &usageError{fmt.Sprintf("there is no lab command %q; go tool workshop lab lists them", verb)}
	}
}

func labHelp(ctx context.Context, a *app, l *lab.Lab) error {
	fmt.Fprint(a.out, "The lab is a cluster in containers: Consul, three members, a client that asks a thousand users, and a page.\n\n")
	for _, c := range labCommands {
		fmt.Fprintf(a.out, "  lab %-28s %s\n", strings.TrimSpace(c.name+" "+c.args), c.brief)
	}
	fmt.Fprintln(a.out, "\nchapters/chapter4/11_lab/README.md leads through it.")
	if s, err := l.Status(ctx); err == nil {
		fmt.Fprintf(a.out, "It runs, with -code %s: %s\n", s.Code, s.Page)
	}
	return nil
}

func labUp(ctx context.Context, a *app, l *lab.Lab, o labOptions) error {
	if !slices.Contains(lab.Codes, lab.Code(o.code)) {
		return &usageError{fmt.Sprintf("-code %q is unknown; use library, solutions or mine", o.code)}
	}
	began := time.Now()
	if err := l.Up(ctx, lab.Options{Code: lab.Code(o.code), Port: o.port, Lookup: o.lookup}); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "The lab is up after %.1f s: http://127.0.0.1:%d\n", time.Since(began).Seconds(), o.port)
	fmt.Fprint(a.out, "Go on with go tool workshop lab predict kill, or break something; go tool workshop lab down removes it.\n")
	return nil
}

func labStatus(ctx context.Context, a *app, l *lab.Lab) error {
	s, err := l.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s runs -code %s, in epoch %d; %d of %d users do not answer.\n\n", s.Page, s.Code, s.Epoch, s.Unheard, s.Users)
	for _, r := range s.Rows {
		line := fmt.Sprintf("  %-9s %-8s %-9s", r.Name, r.State, r.Health)
		if slices.Contains(lab.Members, r.Name) {
			view := "in the view"
			if !r.InView {
				view = "not in the view"
			}
			line += fmt.Sprintf(" %4d users  %s", r.Users, view)
		}
		fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	}
	for _, cut := range s.Cuts {
		fmt.Fprintf(a.out, "  cut: %s\n", cut)
	}
	if s.Silence != "" {
		fmt.Fprintf(a.out, "\n%s\n", s.Silence)
	}
	return nil
}

// labDo breaks something, or repairs it.
func labDo(ctx context.Context, a *app, l *lab.Lab, verb lab.Verb, args []string) error {
	who, with := "", ""
	if len(args) > 0 {
		who = args[0]
	}
	if len(args) > 1 {
		with = strings.TrimPrefix(strings.Join(args[1:], " "), "from ")
	}
	switch {
	case verb == lab.Heal && who == "":
		return labHealAll(ctx, a, l)
	case verb == lab.Restart && (who == "" || who == "all"):
		for _, name := range lab.Members {
			if err := labDo(ctx, a, l, lab.Restart, []string{name}); err != nil {
				return err
			}
		}
		return nil
	case who == "owner":
		owner, err := l.Owner(ctx, lab.Watched)
		if err != nil {
			return err
		}
		who = owner
	}
	if err := l.Do(ctx, verb, who, with); err != nil {
		return err
	}
	text := who
	if with != "" {
		text += " from " + with
	}
	fmt.Fprintf(a.out, "%s %s: done\n", verb, text)
	return nil
}

func labHealAll(ctx context.Context, a *app, l *lab.Lab) error {
	s, err := l.Status(ctx)
	if err != nil {
		return err
	}
	if len(s.Cuts) == 0 {
		fmt.Fprintln(a.out, "Nobody is cut from anybody.")
	}
	for _, cut := range s.Cuts {
		who, with, _ := strings.Cut(cut, " from ")
		if err := labDo(ctx, a, l, lab.Heal, []string{who, with}); err != nil {
			return err
		}
	}
	return nil
}

// labScenario is the one that args name.
func labScenario(command string, args []string) (lab.Scenario, error) {
	if len(args) != 1 {
		return lab.Scenario{}, &usageError{fmt.Sprintf("lab %s takes a scenario: kill, zombie, consul, split or rolling", command)}
	}
	s, err := lab.FindScenario(args[0])
	if err != nil {
		return s, &usageError{err.Error()}
	}
	return s, nil
}

func labPredict(a *app, l *lab.Lab, args []string) error {
	s, err := labScenario("predict", args)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s.\n", a.paint(bold, s.Name), s.Title)
	fmt.Fprint(a.out, "How sure are you that this will be so? Write 0 to 100; Enter is 50, which is no idea.\n\n")
	p := &lab.Prediction{Scenario: s.Name, Sure: make([]float64, len(s.Statements))}
	for i, statement := range s.Statements {
		if p.Sure[i], err = a.percent(statement.Text); err != nil {
			return err
		}
	}
	if err := l.Predict(p); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\nNow break it, by hand or with go tool workshop lab play %s; then go tool workshop lab check.\n", s.Name)
	return nil
}

func labPlay(ctx context.Context, l *lab.Lab, args []string) error {
	s, err := labScenario("play", args)
	if err != nil {
		return err
	}
	l.Tell("%s: %s", s.Name, s.Title)
	if err := l.Play(ctx, s); err != nil {
		return err
	}
	l.Tell("go tool workshop lab check says what became of it")
	return nil
}

// labCheck judges what happened, and what was predicted.
func labCheck(ctx context.Context, a *app, l *lab.Lab) error {
	c, err := l.Check(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n\n", c.Timeline)
	for _, f := range c.Findings {
		mark := a.paint(green, "ok  ")
		if !f.OK {
			mark = a.paint(red, "FAIL")
		}
		fmt.Fprintf(a.out, "  %s  %s\n", mark, f.Text)
	}
	fmt.Fprintf(a.out, "\nAll of it is in %s.\n", c.File)
	if c.Prediction != nil {
		a.judgement(c)
	}
	if !c.OK() {
		return errRed
	}
	return nil
}

// judgement scores a prediction, and remembers the score.
func (a *app) judgement(c *lab.Checked) {
	fmt.Fprintf(a.out, "\nYou predicted of %s:\n", c.Scenario.Name)
	for i, s := range c.Scenario.Statements {
		outcome := "no "
		if s.True(c.Facts) {
			outcome = "yes"
		}
		fmt.Fprintf(a.out, "  %s  you said %3.0f %%  %s\n", outcome, 100*c.Prediction.Sure[i], s.Text)
	}
	score := c.Prediction.Score(*c.Scenario, c.Facts)
	fmt.Fprintf(a.out, "Your judgement: %.2f. 0 is a clairvoyant, 0.25 somebody who always says 50.\n", score)
	e, err := a.course.Exercise("lab")
	if err != nil {
		return // a course without a lab has nowhere to keep it
	}
	a.update(e, func(r *progress.Record) {
		r.Predictions = append(r.Predictions, progress.Prediction{At: time.Now().UTC(), Tests: len(c.Scenario.Statements), Score: score})
	})
}
