package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestConfig_TheLivePageIsForThisMachineUnlessThereIsAToken(t *testing.T) {
	const token = "sixteen bytes or more"
	rows := []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"none", nil, nil, ""},
		{"loopback", []string{"-dashboard", "127.0.0.1:8080", "-dashboard-names"}, nil, ""},
		{"everywhere", []string{"-dashboard", ":8080"}, nil, "-dashboard and -dashboard-token: dashboard: :8080 can be reached from other machines"},
		{"everywhere with a token", []string{"-dashboard", ":8080", "-dashboard-token", token}, nil, ""},
		{"everywhere with one from the environment", []string{"-dashboard", ":8080"}, map[string]string{"MEMBER_DASHBOARD_TOKEN": token}, ""},
		{"a short token", []string{"-dashboard", "127.0.0.1:8080", "-dashboard-token", "x"}, nil, "use 16 or more"},
		{"reports", []string{"-dashboard-reports", "-dashboard-token", token}, nil, ""},
		{"a token for nothing", []string{"-dashboard-token", token}, nil, "add -dashboard-reports, or -dashboard 127.0.0.1:8080"},
		{"names for nobody", []string{"-dashboard-names"}, nil, "add -dashboard-reports, or -dashboard 127.0.0.1:8080"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, err := parseConfig(row.args, environment(row.env), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.clusterConfig(t.Context())
			if (err != nil) != (row.want != "") || !strings.Contains(fmt.Sprint(err), row.want) && err != nil {
				t.Errorf("error = %v, want %q in it", err, row.want)
			}
			if strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

// visitor is a log that visits the live page once the member is up, and then has
// the member leave.
type visitor struct {
	upWatcher
	t   *testing.T
	url string
	got string
}

func (v *visitor) Write(line []byte) (int, error) {
	n, err := v.upWatcher.Write(line)
	switch entry := v.lines[len(v.lines)-1]; entry["msg"] {
	case "live page":
		v.url = entry["url"].(string)
	case "up":
		v.visit()
	}
	return n, err
}

func (v *visitor) visit() {
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, nil)
	if err != nil {
		v.t.Error(err)
		return
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Error(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Error(err)
	}
	v.got = string(text)
}

func TestRun_ServesTheLivePageUntilItLeaves(t *testing.T) {
	c, err := parseConfig([]string{"-name", "m1", "-bind", "127.0.0.1:0", "-cluster", t.Name(), "-dashboard", "127.0.0.1:0"}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &visitor{upWatcher: upWatcher{cancel: cancel}, t: t}
	if err := run(ctx, c, log); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.got, t.Name()) || !strings.Contains(log.got, "Members") {
		t.Errorf("the page at %q is %q", log.url, log.got)
	}
	if response, err := http.Get(log.url); err == nil {
		_ = response.Body.Close()
		t.Error("the page is served after the member has left")
	}
}

func TestRun_ALivePageWhosePortIsTakenIsToldAtOnce(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := parseConfig([]string{"-bind", "127.0.0.1:0", "-cluster", t.Name(), "-dashboard", l.Addr().String()}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), c, io.Discard); err == nil || !strings.Contains(err.Error(), "is the port in use?") {
		t.Errorf("run = %v, want that the port is taken", err)
	}
}
