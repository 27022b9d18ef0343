//go:build unix

package lab_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ports"
	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/fixture"
	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
)

// fake is a machine on which the program docker is a script, and nothing else can be
// found but Go.
type fake struct {
	*lab.Lab

	t    *testing.T
	root string
	bin  string
	told []string
}

// healthy are containers as docker ps shows them.
const healthy = `c0|consul|running|Up 9 seconds (healthy)
c1|member-1|running|Up 7 seconds (healthy)
c2|member-2|running|Up 7 seconds (healthy)
c3|member-3|running|Up 7 seconds (healthy)
c4|client|running|Up 5 seconds (healthy)`

// usually is what docker answers unless a test says otherwise.
const usually = `
version*) echo amd64 ;;
"compose version") ;;
ps*) cat "$ROOT/ps" ;;
inspect*) for c in "$@"; do
	case $c in c[1-3])
		echo member-${c#c} $(cat $ROOT/networks-$c 2>/dev/null || echo test_store test_link-1-2 test_link-1-3 test_link-2-3 test_link-${c#c}-client) ;;
	esac
done ;;
exec*) cat "$ROOT/report" ;;
"network ls"*) echo n1 n2 ;;
"volume ls"*) echo v1 ;;
`

// machine makes one. Cases of the shell, of what docker is called with, come before
// the usual ones; without any there is no docker.
func machine(t *testing.T, cases string) *fake {
	t.Helper()
	f := &fake{t: t, bin: t.TempDir()}
	exercise := fixture.Exercise{ID: "9.11", Dir: "11_lab", Title: "Lab", Objective: "All.", Minutes: 10, Level: "lab", Tests: []string{"TestAll"}}
	f.root = fixture.Workshop(t, []fixture.Exercise{exercise}, map[string]string{
		"cmd/member/main.go": "package main\n\nfunc main() {}\n",
		"ps":                 healthy,
	})
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", f.bin+string(filepath.ListSeparator)+filepath.Dir(program))
	t.Setenv("CONSUL_IMAGE", "")
	if cases != "" {
		script := "#!/bin/sh\nPATH=/bin:/usr/bin\nROOT=" + f.root + "\necho \"$*\" >> $ROOT/calls\ncase \"$*\" in\n" + cases + usually + "esac\n"
		if err := os.WriteFile(filepath.Join(f.bin, "docker"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c, err := course.Load(f.root)
	if err != nil {
		t.Fatal(err)
	}
	f.Lab = lab.Open(c, "test", func(format string, args ...any) { f.told = append(f.told, fmt.Sprintf(format, args...)) })
	return f
}

// calls are what docker was called with.
func (f *fake) calls() []string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.root, "calls"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// runs has the lab remember that it is up.
func (f *fake) runs(port, clientPort int) {
	f.t.Helper()
	text, err := json.Marshal(map[string]any{"code": "library", "port": port, "clientPort": clientPort, "token": token, "since": start})
	if err != nil {
		f.t.Fatal(err)
	}
	fixture.Write(f.t, f.root, lab.Dir+"/test/state.json", string(text))
}

const token = "the token of the lab"

// start is when the client began, and the lab.
var start = time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC)

// sees has the client tell that.
func (f *fake) sees(r *witness.Report) {
	f.t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		f.t.Fatal(err)
	}
	fixture.Write(f.t, f.root, "report", string(text))
}

// did has the lab remember actions.
func (f *fake) did(actions ...lab.Action) {
	f.t.Helper()
	var lines strings.Builder
	for _, a := range actions {
		text, err := json.Marshal(a)
		if err != nil {
			f.t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	fixture.Write(f.t, f.root, lab.Dir+"/test/actions.jsonl", lines.String())
}

// port is one at which nothing listens.
func port(t *testing.T) int {
	t.Helper()
	free, err := ports.Free(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return free[0]
}
