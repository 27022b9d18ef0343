//go:build integration

package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const project = "protocluster-lab-test"

// lab is the lab of a test, and the program that drives it.
type lab struct {
	testing.TB

	root    string
	program string
	port    int
}

// open builds the program and makes sure that nothing is left when the test ends.
func open(t *testing.T) *lab {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "version").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true, and Docker does not run: %s", out)
		}
		t.Skipf("Docker does not run: %s", out)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{TB: t, root: root, program: filepath.Join(t.TempDir(), "workshop"), port: freePort(t)}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", l.program, "./cmd/workshop")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if out, err := l.run(ctx, "", "down"); err != nil {
			t.Errorf("down: %v: %s", err, out)
		}
		if left := l.left(ctx); left != "" {
			t.Errorf("lab down left %s", left)
		}
	})
	return l
}

// freePort is one that the system gives to nobody who asks for any.
func freePort(t *testing.T) int {
	t.Helper()
	const first, last = 26000, 32000
	for _, i := range rand.Perm(last - first) {
		if listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", first+i)); err == nil {
			_ = listener.Close()
			return first + i
		}
	}
	t.Fatal("no port is free")
	return 0
}

// run runs go tool workshop lab with that input.
func (l *lab) run(ctx context.Context, input string, args ...string) (string, error) {
	args = append([]string{"lab", "-project", project, "-port", fmt.Sprint(l.port)}, args...)
	command := exec.CommandContext(ctx, l.program, args...)
	command.Dir, command.Stdin = l.root, strings.NewReader(input)
	out, err := command.CombinedOutput()
	return string(out), err
}

// does is run that has to succeed.
func (l *lab) does(args ...string) string {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 2*time.Minute)
	defer cancel()
	began := time.Now()
	out, err := l.run(ctx, "", args...)
	l.Logf("lab %s, %.1f s:\n%s", strings.Join(args, " "), time.Since(began).Seconds(), out)
	if err != nil {
		l.Fatalf("lab %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// left is what Docker has of the lab.
func (l *lab) left(ctx context.Context) string {
	var all bytes.Buffer
	for _, list := range []string{"ps --all", "network ls", "volume ls"} {
		args := append(strings.Fields(list), "--quiet", "--filter", "label=com.docker.compose.project="+project)
		out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
		if err != nil {
			return err.Error()
		}
		all.Write(out)
	}
	return strings.TrimSpace(all.String())
}

// facts are those of the last check.
type facts struct {
	Users, Overlaps, Stale, Lost, Begun int
	Silence                             struct {
		Users   int
		Longest time.Duration
	}
	Total   struct{ Answered, Recorded int }
	Evicted bool
}

// check checks, wants every promise to be kept, and returns what was found.
func (l *lab) check() facts {
	l.Helper()
	l.does("check")
	return l.facts()
}

func (l *lab) facts() facts {
	l.Helper()
	text, err := os.ReadFile(filepath.Join(l.root, ".workshop/lab", project, "check.json"))
	if err != nil {
		l.Fatal(err)
	}
	var checked struct{ Facts facts }
	if err := json.Unmarshal(text, &checked); err != nil {
		l.Fatal(err)
	}
	f := checked.Facts
	if f.Total.Answered == 0 || f.Total.Recorded == 0 {
		l.Errorf("%d answers and %d writes were seen, want some", f.Total.Answered, f.Total.Recorded)
	}
	return f
}

// get asks the page for something.
func (l *lab) get(path, host string) (int, string) {
	l.Helper()
	request, err := http.NewRequestWithContext(l.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", l.port, path), nil)
	if err != nil {
		l.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error() // it may not be there yet
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		l.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// The library's lookup keeps its promises, whatever is done to its members.
func TestLab_TheLibraryKeepsItsPromises(t *testing.T) {
	l := open(t)
	l.does("up")
	t.Run("join", func(t *testing.T) {
		l.TB = t
		out := l.does("status")
		if strings.Count(out, "in the view") != 3 || !strings.Contains(out, "0 of 1000 users do not answer") {
			t.Errorf("status says\n%s\nwant three members and a thousand users", out)
		}
		if status, page := l.get("/", ""); status != http.StatusOK || !strings.Contains(page, "member-3") {
			t.Errorf("the page answers %d:\n%.2000s\nwant it to show member-3", status, page)
		}
		if status, text := l.get("/", "lab.example:80"); status != http.StatusForbidden {
			t.Errorf("the page answers %d to another name: %.200s", status, text)
		}
	})
	t.Run("failover", func(t *testing.T) {
		l.TB = t
		l.does("play", "kill")
		f := l.check()
		if f.Silence.Users == 0 || f.Begun < f.Users/4 || !f.Evicted {
			t.Errorf("facts = %+v, want the users of the victim to fail over, and back", f)
		}
	})
	t.Run("pause", func(t *testing.T) {
		l.TB = t
		l.does("pause", "owner")
		wait(t, 5*time.Second)
		for _, name := range []string{"member-1", "member-2", "member-3"} {
			if out, err := l.run(t.Context(), "", "resume", name); err == nil {
				t.Log(out)
			}
		}
		wait(t, 3*time.Second)
		if f := l.check(); !f.Evicted || f.Silence.Users == 0 {
			t.Errorf("facts = %+v, want the paused member to be evicted", f)
		}
	})
	t.Run("cut from Consul", func(t *testing.T) {
		l.TB = t
		l.does("partition", "member-2", "consul")
		wait(t, 4*time.Second)
		if out := l.does("status"); !strings.Contains(out, "cut: member-2 from consul") {
			t.Errorf("status does not show the cut:\n%s", out)
		}
		l.does("heal")
		if f := l.check(); f.Evicted {
			t.Errorf("facts = %+v, want nobody to be evicted: the others still reach the store", f)
		}
	})
	t.Run("cut from a member", func(t *testing.T) {
		l.TB = t
		l.does("partition", "member-1", "member-3")
		wait(t, 4*time.Second)
		l.does("heal", "member-3", "member-1")
		l.check()
	})
	t.Run("Consul restarts", func(t *testing.T) {
		l.TB = t
		consul := l.container("consul")
		for _, verb := range []string{"kill", "start"} {
			l.docker(verb, consul)
			wait(t, 3*time.Second)
		}
		l.does("kill", "member-3") // the view can be changed again
		wait(t, 5*time.Second)
		l.does("restart", "member-3")
		if f := l.check(); !f.Evicted {
			t.Errorf("facts = %+v, want a view without the member that was killed", f)
		}
	})
	t.Run("rolling restart", func(t *testing.T) {
		l.TB = t
		l.does("restart")
		wait(t, 2*time.Second)
		if f := l.check(); f.Begun < f.Users {
			t.Errorf("%d activations began, want each user to be started anew", f.Begun)
		}
	})
}

// wait lets real containers be, for a while.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

func (l *lab) container(service string) string {
	l.Helper()
	out, err := exec.CommandContext(l.Context(), "docker", "ps", "--all", "--quiet",
		"--filter", "label=com.docker.compose.project="+project, "--filter", "label=com.docker.compose.service="+service).Output()
	if err != nil || len(out) == 0 {
		l.Fatalf("there is no %s: %v", service, err)
	}
	return strings.TrimSpace(string(out))
}

// A check is worth what it finds. A lookup that promises one activation only in the
// end has two of some users while the client and one member are on one side, and
// somebody else asks on the other.
func TestLab_TheCheckFindsWhatIsBroken(t *testing.T) {
	l := open(t)
	l.does("up", "-lookup", "disthash")
	for _, other := range []string{"consul", "member-1", "member-3"} {
		l.does("partition", "member-2", other)
	}
	l.docker("network", "disconnect", project+"_store", l.container("client"))
	another := l.docker("create", "--network", project+"_store", "--label", "com.docker.compose.project="+project,
		"--user", "65532:65532", "--read-only", "--cap-drop", "ALL", "--memory", "256m",
		"protocluster-lab/member:library", "-cluster", "lab", "-name", "another", "-provider", "consul", "-consul", "consul:8500",
		"-lookup", "disthash", "-load", "1000")
	l.docker("network", "connect", project+"_link-1-client", another)
	l.docker("network", "connect", project+"_link-3-client", another)
	l.docker("start", another)
	wait(t, 8*time.Second)
	l.docker("rm", "--force", another)
	l.docker("network", "connect", project+"_store", l.container("client"))
	l.does("heal")
	out, err := l.run(t.Context(), "", "check")
	t.Logf("%v:\n%s", err, out)
	f := l.facts()
	if err == nil || f.Overlaps == 0 || f.Stale == 0 || !strings.Contains(out, "FAIL") || !strings.Contains(out, "BREACH") {
		t.Errorf("check = %v with %+v, want it to find users in two places", err, f)
	}
}

// Compose alone serves the same page, without buttons.
func TestCompose_AloneServesThePage(t *testing.T) {
	l := open(t)
	command := exec.CommandContext(t.Context(), "docker-compose")
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() == nil {
		command = exec.CommandContext(t.Context(), "docker", "compose")
	}
	command.Args = append(command.Args, "--project-name", project, "up", "--detach", "--no-build")
	command.Dir = l.root
	command.Env = append(os.Environ(), fmt.Sprint("LAB_PORT=", l.port), "CONSUL_IMAGE="+consulImage(t))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	deadline := time.Now().Add(30 * time.Second)
	for status, page := 0, ""; status != http.StatusOK || strings.Count(page, "member-") < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s the page answers %d:\n%.2000s\nwant it to show three members", status, page)
		}
		wait(t, 500*time.Millisecond)
		status, page = l.get("/", "")
	}
	if status, text := l.get("/lab/actions", ""); status != http.StatusNotFound {
		t.Errorf("lab/actions answers %d, %s without the lab, want 404", status, text)
	}
	for _, service := range []string{"consul", "client", "member-1", "member-2", "member-3"} {
		how := l.docker("inspect", "--format", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}",
			l.container(service))
		if !strings.Contains(how, " true [ALL] ") || strings.Contains(how+" ", " 0 ") || strings.HasPrefix(how, "0") || strings.HasPrefix(how, " ") || strings.HasPrefix(how, "root") {
			t.Errorf("%s runs as %q, want a user that is not root, a file system to read only, no capabilities, and limits", service, how)
		}
		if ports := l.docker("port", l.container(service)); ports != "" && !strings.HasPrefix(ports, "8080/tcp -> 127.0.0.1:") {
			t.Errorf("%s publishes %q, want nothing but the page, on loopback", service, ports)
		}
	}
}

// consulImage is the one that is here.
func consulImage(t *testing.T) string {
	t.Helper()
	for _, image := range []string{os.Getenv("CONSUL_IMAGE"), "hashicorp/consul:1.19.2", "protocluster-lab/consul:1.19.2"} {
		if image != "" && exec.CommandContext(t.Context(), "docker", "image", "inspect", image).Run() == nil {
			return image
		}
	}
	t.Fatal("there is no image of Consul; run make images")
	return ""
}

// docker runs Docker itself, for what the lab cannot do, and returns what it prints.
func (l *lab) docker(args ...string) string {
	l.Helper()
	out, err := exec.CommandContext(l.Context(), "docker", args...).CombinedOutput()
	if err != nil {
		l.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
