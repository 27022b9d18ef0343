package consultest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/ports"
)

// readiness bounds how long an agent may take to have a leader.
const readiness = 30 * time.Second

// Agent is a real Consul: one process that is agent and server. Its methods are
// for the test's goroutine.
type Agent struct {
	// Address is its HTTP API's, host:port; it stays over a restart.
	Address string
	// Token is what Get, Put and Delete use.
	Token string

	t      testing.TB
	args   []string
	ctx    context.Context //nolint:containedctx // the test's, which outlives no call
	cmd    *exec.Cmd
	log    io.Writer    // gets what it logs, too, if not nil
	output bytes.Buffer // what it logs; read it after the process has ended
}

// Binary finds Consul: $CONSUL_BIN, in the PATH, or .bin/consul at the top of
// this repository, which make consul puts there.
func Binary() (string, error) {
	if path := os.Getenv("CONSUL_BIN"); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("consul"); err == nil {
		return path, nil
	}
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(dir, ".bin", "consul")
			_, err = os.Stat(path)
			return path, err
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "", errors.New("consultest: no go.mod above the working directory")
}

// Config is what an Agent may be told.
type Config struct {
	// Dir is where it keeps its state over a restart. If empty, it runs in
	// development mode and then begins anew.
	Dir string
	// HCL is more of Consul's own configuration.
	HCL string
}

// Start runs an agent until the test ends, and returns once it has a leader. If
// there is no Consul the test is skipped, or fails if CI is "true".
func Start(t testing.TB, config Config) *Agent {
	t.Helper()
	binary := find(t)
	extra := filepath.Join(t.TempDir(), "extra.hcl")
	if err := os.WriteFile(extra, []byte(config.HCL), 0o600); err != nil {
		t.Fatal(err)
	}
	mode := []string{"-dev"}
	if config.Dir != "" {
		mode = []string{"-server", "-bootstrap", "-data-dir", config.Dir}
	}
	ports := ports.Reserve(t, 3)
	a := &Agent{t: t, ctx: t.Context(), Address: fmt.Sprint("127.0.0.1:", ports[0])}
	a.args = append([]string{binary, "agent", "-bind=127.0.0.1", "-node=test", "-log-level=warn", "-config-file=" + extra,
		fmt.Sprint("-http-port=", ports[0]), fmt.Sprint("-server-port=", ports[1]), fmt.Sprint("-serf-lan-port=", ports[2]),
		"-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-dns-port=-1"}, mode...)
	if err := a.start(); err != nil {
		t.Fatalf("Consul does not start: %v\n%s", err, a.output.String())
	}
	t.Cleanup(a.Kill)
	return a
}

// find is Binary for a test, which is skipped if there is none, or fails if CI is
// "true".
func find(t testing.TB) string {
	t.Helper()
	binary, err := Binary()
	if err != nil {
		skip := t.Skipf
		if os.Getenv("CI") == "true" {
			skip = t.Fatalf
		}
		skip("no Consul: run make consul, or set CONSUL_BIN: %v", err)
	}
	return binary
}

// Restart starts the process again after Kill.
func (a *Agent) Restart() {
	a.t.Helper()
	if err := a.start(); err != nil {
		a.t.Fatalf("Consul does not start again: %v\n%s", err, a.output.String())
	}
}

// Kill ends the process without warning, and returns when it has ended.
func (a *Agent) Kill() {
	if a.cmd != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait() // it was killed
		a.cmd = nil
	}
}

// Pause stops the process until Resume, and returns when all of it stands still,
// which is some time after the signal was sent: until then a thread that runs may
// answer a request. Pause and Resume take turns.
func (a *Agent) Pause() {
	a.t.Helper()
	a.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(a.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	for errors.Is(err, syscall.EINTR) {
		_, err = syscall.Wait4(a.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		a.t.Fatalf("Consul does not stand still: wait status %#x, %v", status, err)
	}
}

// Resume undoes Pause.
func (a *Agent) Resume() { a.signal(syscall.SIGCONT) }

func (a *Agent) signal(s os.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(s); err != nil {
		a.t.Fatal(err)
	}
}

// Get asks the agent; path begins after /v1/. The test fails unless the answer
// is 200.
func (a *Agent) Get(path string) []byte {
	a.t.Helper()
	return a.do(http.MethodGet, path, nil)
}

// Put is Get for what changes something.
func (a *Agent) Put(path string, body []byte) []byte {
	a.t.Helper()
	return a.do(http.MethodPut, path, body)
}

// TryPut is Put for what may never be answered: false if it was not within d.
func (a *Agent) TryPut(path string, body []byte, d time.Duration) bool {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.ctx, d)
	defer cancel()
	status, answer, err := a.request(ctx, http.MethodPut, path, body)
	if err != nil && ctx.Err() != nil {
		return false
	}
	a.wantOK(http.MethodPut, path, status, answer, err)
	return true
}

// Delete is Get for what takes something away.
func (a *Agent) Delete(path string) {
	a.t.Helper()
	a.do(http.MethodDelete, path, nil)
}

func (a *Agent) do(method, path string, body []byte) []byte {
	a.t.Helper()
	status, answer, err := a.request(a.ctx, method, path, body)
	a.wantOK(method, path, status, answer, err)
	return answer
}

func (a *Agent) wantOK(method, path string, status int, answer []byte, err error) {
	a.t.Helper()
	if err != nil || status != http.StatusOK {
		a.t.Fatalf("%s %s: status %d, %s, %v", method, path, status, answer, err)
	}
}

func (a *Agent) request(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.Address+"/v1/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("X-Consul-Token", a.Token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	return response.StatusCode, answer.Bytes(), err
}

// start returns when the agent answers consistent reads.
func (a *Agent) start() error {
	if err := a.launch(); err != nil {
		return err
	}
	return a.await()
}

// launch starts the process.
func (a *Agent) launch() error {
	a.cmd = exec.CommandContext(a.ctx, a.args[0], a.args[1:]...)
	var out io.Writer = &a.output
	if a.log != nil {
		out = io.MultiWriter(out, a.log)
	}
	a.cmd.Stdout, a.cmd.Stderr = out, out
	if err := a.cmd.Start(); err != nil {
		a.cmd = nil
		return err
	}
	return nil
}

// await returns when the agent answers consistent reads, or kills it.
func (a *Agent) await() error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < readiness; <-tick.C {
		status, answer, err := a.request(a.ctx, http.MethodGet, "status/leader", nil)
		if err == nil && status == http.StatusOK && strings.Contains(string(answer), ":") && a.writes() {
			return nil
		}
	}
	a.Kill()
	return cmp.Or(a.ctx.Err(), fmt.Errorf("no leader after %v", readiness))
}

// writes reports whether the leader is ready for writes and knows the agent's node,
// which it does a moment later and without which there are no sessions; an agent
// without rights is refused then.
func (a *Agent) writes() bool {
	status, answer, err := a.request(a.ctx, http.MethodPut, "session/create", []byte(`{"Name": "consultest/ready", "NodeChecks": []}`))
	if err != nil || status != http.StatusOK {
		return err == nil && status == http.StatusForbidden
	}
	var session struct{ ID string }
	if err := json.Unmarshal(answer, &session); err != nil {
		return false
	}
	status, _, err = a.request(a.ctx, http.MethodPut, "session/destroy/"+session.ID, nil)
	return err == nil && status == http.StatusOK
}
