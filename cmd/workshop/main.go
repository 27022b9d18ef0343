// Command workshop is how a learner works: go tool workshop, in the folder that
// was cloned, says where you are and what to do next.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

// command is one thing that the program does.
type command struct {
	name  string
	args  string
	brief string
	run   func(ctx context.Context, a *app, args []string) error
}

// commands are all of them, in the order in which a learner meets them.
func commands() []command {
	return []command{
		{"start", "", "check this machine, and greet", start},
		{"watch", "[exercise]", "run the tests at each save", watch},
		{"next", "", "say what to do next", next},
		{"list", "", "list the exercises and what is done", list},
		{"test", "[exercise]", "run the tests once", test},
		{"hint", "[exercise]", "show the next hint, of three", hint},
		{"diff", "[exercise]", "compare yours with the solution", diff},
		{"reset", "[exercise]", "go back to the stub, keeping a copy of yours", reset},
		{"replay", "SEED [exercise]", "run one seed, and tell everything that happens", replay},
		{"predict", "[exercise]", "guess what the tests will say, then run them", predict},
		{"report", "[exercise …]", "run everything and say how it ended", report},
		{"verify", "[exercise …]", "prove that the workshop itself is right", verify},
		{"author", "new|stubs|check", "write exercises", author},
		{"lab", "up|kill|check|…|down", "run your code as a cluster, and break it", runLab},
	}
}

// errRed says that tests failed, which has been told already.
var errRed = errors.New("not green yet")

// usageError is a mistake in the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// helpError is what somebody asked for.
type helpError struct{ text string }

func (e *helpError) Error() string   { return e.text }
func (e *helpError) Is(t error) bool { return t == flag.ErrHelp }

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the output may stop reading
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run does what args say and returns the exit status: 1 for what is not green, 2
// for a mistake in args.
func run(ctx context.Context, args []string, in io.Reader, out, faults io.Writer) int {
	err := dispatch(ctx, args, in, out, faults)
	_, usage := errors.AsType[*usageError](err)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(out, err)
		return 0
	case errors.Is(err, errRed):
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(faults, "\nstopped")
		return 1
	case usage:
		fmt.Fprintf(faults, "workshop: %v\n", err)
		return 2
	}
	fmt.Fprintf(faults, "workshop: %v\n", err)
	return 1
}

func dispatch(ctx context.Context, args []string, in io.Reader, out, faults io.Writer) error {
	name := "next"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "help", "-h", "-help", "--help":
		help(out)
		return nil
	}
	for _, c := range commands() {
		if c.name == name {
			a, err := newApp(in, out, faults)
			if err != nil {
				return err
			}
			if len(args) > 0 && c.args == "" {
				return &usageError{fmt.Sprintf("%s takes no arguments, such as %q", c.name, args[0])}
			}
			return c.run(ctx, a, args)
		}
	}
	return unknown(name)
}

// unknown says that there is no such command, and which one may be meant.
func unknown(name string) error {
	for _, c := range commands() {
		if near(name, c.name) {
			return &usageError{fmt.Sprintf("there is no command %q; do you mean %s?", name, c.name)}
		}
	}
	return &usageError{fmt.Sprintf("there is no command %q; go tool workshop help lists them", name)}
}

// near reports whether a is b with one letter too many, too few or wrong, or two
// that have changed places.
func near(a, b string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			x, y := a[i:], b[i:]
			return x[1:] == y[1:] || x[1:] == y || x == y[1:] ||
				len(x) > 1 && len(y) > 1 && x[0] == y[1] && x[1] == y[0] && x[2:] == y[2:]
		}
	}
	return len(a)-len(b) == 1 || len(b)-len(a) == 1
}

func help(out io.Writer) {
	fmt.Fprint(out, "go tool workshop helps you to solve the exercises. Without a command it says\nwhat to do next.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-24s %s\n", strings.TrimSpace(c.name+" "+c.args), c.brief)
	}
	fmt.Fprint(out, "\nAn exercise is written 4.1, 01_kinds or kinds; left out, it is the one that you\nare at. "+
		"Most commands have flags: go tool workshop test -h lists those of test.\n")
}

// app is what all commands need.
type app struct {
	course *course.Course
	store  *progress.Store
	in     *bufio.Reader
	out    io.Writer
	faults io.Writer // what is no result: out may be read by a program
	screen bool      // out is a terminal that knows how to erase a line
	color  bool
}

func newApp(in io.Reader, out, faults io.Writer) (*app, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	root, err := course.Find(dir)
	if err != nil {
		return nil, err
	}
	c, err := course.Load(root)
	if err != nil {
		return nil, err
	}
	screen := terminal(out)
	return &app{course: c, store: progress.Open(root), in: bufio.NewReader(in), out: out, faults: faults,
		screen: screen, color: screen && os.Getenv("NO_COLOR") == ""}, nil
}

// terminal reports whether out is one that a person looks at.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress returns what is done; what was lost is told, and not an error.
func (a *app) progress() (progress.Progress, error) {
	p, err := a.store.Load()
	if lost, ok := errors.AsType[*progress.LostError](err); ok {
		fmt.Fprintln(a.faults, lost)
		return p, nil
	}
	return p, err
}

// update changes a record. That progress cannot be saved is told, and does not
// keep a learner from learning.
func (a *app) update(e *course.Exercise, change func(r *progress.Record)) {
	if err := a.store.Update(e.ID, change); err != nil {
		fmt.Fprintln(a.faults, err)
	}
}

// flags parses the flags of a command, which may stand anywhere among its
// arguments, and returns the others.
func flags(name string, args []string, define func(f *flag.FlagSet)) ([]string, error) {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	define(f)
	var rest []string
	for {
		err := f.Parse(args)
		if err != nil {
			var b strings.Builder
			f.SetOutput(&b)
			f.PrintDefaults()
			switch its := strings.TrimRight(b.String(), "\n"); {
			case its == "":
				return nil, &usageError{fmt.Sprintf("%s has no flags, only perhaps an exercise, such as 4.1", name)}
			case errors.Is(err, flag.ErrHelp):
				return nil, &helpError{fmt.Sprintf("The flags of %s, beside an exercise:\n%s", name, its)}
			default:
				return nil, &usageError{fmt.Sprintf("%s: %v; its flags are\n%s", name, err, its)}
			}
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// exercises returns those named, or all.
func (a *app) exercises(names []string) ([]*course.Exercise, error) {
	if len(names) == 0 {
		return a.course.Exercises(), nil
	}
	var all []*course.Exercise
	for _, name := range names {
		e, err := a.course.Exercise(name)
		if err != nil {
			return nil, &usageError{err.Error()}
		}
		all = append(all, e)
	}
	return all, nil
}

// one returns the exercise named, or the one that the learner is at.
func (a *app) one(command string, names []string) (*course.Exercise, error) {
	switch len(names) {
	case 0:
		return a.current()
	case 1:
		all, err := a.exercises(names)
		if err != nil {
			return nil, err
		}
		return all[0], nil
	}
	return nil, &usageError{fmt.Sprintf("%s takes one exercise, such as 4.1", command)}
}
