//go:build unix

package lab_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
)

// Whatever is in the way, a learner reads one sentence that says what to do.
func TestUp_TellsPlainlyWhatIsInTheWay(t *testing.T) {
	const down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
	rows := []struct {
		name  string
		cases string
		files map[string]string
		want  string
	}{
		{"no Docker", "", nil, "docker is not there; install Docker from https://docs.docker.com/get-docker"},
		{"no daemon", "*) echo '" + down + "' >&2; exit 1 ;;", nil, "Docker is installed and does not run; start it"},
		{"no right", "*) echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1 ;;", nil, "add yourself to the group docker"},
		{"no Compose", `"compose version") exit 1 ;; ps*) ;;`, nil, "there is no Docker Compose; install the plugin"},
		{"no image and no registry", `ps*) ;; "image inspect"*) exit 1 ;; pull*) echo 'dial tcp: lookup registry: no such host' >&2; exit 1 ;;`, nil,
			"the image hashicorp/consul:1.19.2 is not here, and no registry can be reached; run make images"},
		{"code that does not compile", "ps*) ;;", map[string]string{"cmd/member/main.go": "package main\n\nfunc main() {\n\tnowhere()\n}\n"},
			"the member with your code does not compile: cmd/member/main.go:4: undefined: nowhere"},
		{"no networks left", `ps*) ;; *" up "*) echo 'could not find an available, non-overlapping IPv4 address pool among the defaults' >&2; exit 1 ;;`, nil,
			"docker network prune"},
		{"a member that ends", `ps*) if [ -e $ROOT/up ]; then echo 'c1|member-1|exited|Exited (1) 1 second ago'; fi ;; *" up "*) touch $ROOT/up; exec sleep 60 ;;` +
			` logs*) echo 'assembled: exercises 4.6 are not written yet; go tool workshop next says where to go on' >&2; echo '{"level":"WARN"}' ;;`, nil,
			"member-1 ended as soon as it was started; it said: assembled: exercises 4.6 are not written yet; go tool workshop next"},
		{"a Consul that is not healthy", `ps*) if [ -e $ROOT/up ]; then echo 'c0|consul|running|Up 40 seconds (unhealthy)'; fi ;;` +
			` *" up "*) touch $ROOT/up; exit 1 ;; logs*) echo 'No cluster leader' ;;`, nil,
			"consul is not healthy; it said: No cluster leader; go tool workshop lab down, then up, tries again"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := machine(t, row.cases)
			for name, text := range row.files {
				fixture.Write(t, f.root, name, text)
			}
			err := f.Up(t.Context(), lab.Options{Code: lab.Mine, Port: port(t)})
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Up = %v, want one line with %q", err, row.want)
			}
		})
	}
}

func TestUp_APortThatIsTakenIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f := machine(t, "ps*) ;;")
	err = f.Up(t.Context(), lab.Options{Code: lab.Library, Port: listener.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "of this machine is taken; choose another with go tool workshop lab up -port") {
		t.Errorf("Up = %v, want the port, and how to choose another", err)
	}
	for _, call := range f.calls() {
		if !strings.HasPrefix(call, "version") && !strings.HasPrefix(call, "ps") {
			t.Errorf("docker %s was run although the port is taken", call)
		}
	}
}

func TestDown_RemovesWhatHasTheLabelAndNothingElse(t *testing.T) {
	f := machine(t, `"ps --all --quiet"*) echo c1 c2 ;;`)
	f.runs(port(t), 1)
	if err := f.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	const label = " --filter label=com.docker.compose.project=test"
	want := []string{
		"ps --all --quiet --no-trunc" + label, "rm --force --volumes c1 c2", "network ls --quiet" + label, "network rm n1 n2",
		"volume ls --quiet" + label, "volume rm --force v1",
	}
	if got := f.calls(); !slices.Equal(got, want) {
		t.Errorf("docker was called with\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := f.Status(t.Context()); !errors.Is(err, lab.ErrDown) {
		t.Errorf("Status = %v after Down, want ErrDown", err)
	}
}

func TestDown_TellsPlainlyThatDockerDoesNotRun(t *testing.T) {
	f := machine(t, "*) echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1 ;;")
	err := f.Down(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "Docker is installed and does not run") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Down = %v, want one sentence", err)
	}
}

func TestDo_TellsPlainlyWhatCannotBeDone(t *testing.T) {
	const states = `ps*) printf 'c1|member-1|running|Up 7 seconds (healthy)\nc2|member-2|paused|Up 7 seconds (Paused)\nc3|member-3|exited|Exited (137)\n' ;;`
	rows := []struct {
		verb      lab.Verb
		who, with string
		want      string // of the error; "" if there is none
		call      string // the last of docker, if there is no error
	}{
		{lab.Kill, "member-4", "", `there is no "member-4" to kill; the members are member-1, member-2, member-3`, ""},
		{lab.Partition, "member-1", "", "takes whom from: consul, client or another member", ""},
		{lab.Partition, "member-1", "member-1", "takes whom from", ""},
		{lab.Kill, "member-3", "", "member-3 is exited; go tool workshop lab restart", ""},
		{lab.Resume, "member-1", "", "member-1 is running; resume needs one that is paused", ""},
		{lab.Restart, "member-2", "", "member-2 is paused; go tool workshop lab resume comes first", ""},
		{lab.Heal, "member-1", "member-2", "member-1 is not cut from member-2", ""},
		{lab.Kill, "member-1", "", "", "kill c1"},
		{lab.Pause, "member-1", "", "", "pause c1"},
		{lab.Resume, "member-2", "", "", "unpause c2"},
		{lab.Partition, "member-1", "consul", "", "network disconnect test_store c1"},
		{lab.Partition, "member-2", "member-1", "", "network disconnect test_link-1-2 c2"},
		{lab.Partition, "member-1", "client", "", "network disconnect test_link-1-client c1"},
	}
	for _, row := range rows {
		t.Run(strings.Join([]string{string(row.verb), row.who, row.with}, " "), func(t *testing.T) {
			f := machine(t, states)
			f.runs(1, 1)
			err := f.Do(t.Context(), row.verb, row.who, row.with)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Fatalf("Do = %v, want %q", err, row.want)
			}
			if calls := f.calls(); row.call != "" && !slices.Contains(calls, row.call) {
				t.Errorf("docker was called with %q, want %q among them", calls, row.call)
			}
		})
	}
}

func TestDo_HealJoinsUnderTheOldName(t *testing.T) {
	f := machine(t, "network*) ;;")
	f.runs(1, 1)
	fixture.Write(t, f.root, "networks-c1", "test_store")
	fixture.Write(t, f.root, "networks-c3", "test_store")
	if err := f.Do(t.Context(), lab.Heal, "member-1", "member-3"); err != nil {
		t.Fatal(err)
	}
	calls := f.calls()
	for _, want := range []string{
		"network connect --alias member-1.lab test_link-1-3 c1", "network connect --alias member-3.lab test_link-1-3 c3",
	} {
		if !slices.Contains(calls, want) {
			t.Errorf("docker was called with %q, want %q among them", calls, want)
		}
	}
}
