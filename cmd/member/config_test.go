package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestParseConfig_AFlagWinsOverTheEnvironment(t *testing.T) {
	env := environment(map[string]string{"MEMBER_NAME": "from-env", "MEMBER_LOG_LEVEL": "debug", "MEMBER_DRAIN": "3s"})
	c, err := parseConfig([]string{"-name", "from-flag"}, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.name != "from-flag" || c.logLevel != slog.LevelDebug || c.drain != 3*time.Second {
		t.Errorf("name, log level, drain = %q, %v, %v; want from-flag, DEBUG, 3s", c.name, c.logLevel, c.drain)
	}
	if c.cluster != "workshop" || c.address != "127.0.0.1:0" || c.kinds != "user" {
		t.Errorf("cluster, address, kinds = %q, %q, %q; want the defaults", c.cluster, c.address, c.kinds)
	}
}

func TestParseConfig_HelpNamesEveryFlagAndTheEnvironment(t *testing.T) {
	var out bytes.Buffer
	_, err := parseConfig([]string{"-help"}, environment(nil), &out)
	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{"-cluster", "-name", "-address", "-provider", "-bind", "-seeds", "-lookup", "-kinds", "-log-level", "-drain", "MEMBER_LOG_LEVEL", "SIGTERM"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help does not mention %s:\n%s", want, out.String())
		}
	}
}

func TestConfig_EveryFaultIsToldAtOnceWithItsFix(t *testing.T) {
	c, err := parseConfig([]string{"-address", "nowhere", "-provider", "zookeeper", "-lookup", "magic", "-kinds", "user, unicorn"}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.clusterConfig()
	if err == nil {
		t.Fatal("clusterConfig accepts what is wrong four times")
	}
	for _, want := range []string{"host:port, such as", `-provider "zookeeper" is unknown; use automanaged`, `-lookup "magic" is unknown; use disthash`, `"unicorn" is unknown; this program knows user`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestParseConfig_WrongEnvironmentAndArgumentsAreNamed(t *testing.T) {
	_, err := parseConfig([]string{"start"}, environment(map[string]string{"MEMBER_DRAIN": "soon"}), io.Discard)
	if err == nil || !strings.Contains(err.Error(), `MEMBER_DRAIN="soon"`) || !strings.Contains(err.Error(), `unexpected argument "start"`) {
		t.Errorf("error = %v, want one that names MEMBER_DRAIN and the argument", err)
	}
}

// upWatcher is a log that cancels once the member says that it is up.
type upWatcher struct {
	cancel context.CancelFunc
	lines  []map[string]any
}

func (w *upWatcher) Write(line []byte) (int, error) {
	entry := make(map[string]any)
	if err := json.Unmarshal(line, &entry); err != nil {
		return 0, err
	}
	w.lines = append(w.lines, entry)
	if entry["msg"] == "up" {
		w.cancel()
	}
	return len(line), nil
}

func TestRun_JoinsServesAndLeavesWhenTold(t *testing.T) {
	c, err := parseConfig([]string{"-name", "m1", "-bind", "127.0.0.1:0", "-cluster", t.Name()}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &upWatcher{cancel: cancel}
	if err := run(ctx, c, log); err != nil {
		t.Fatal(err)
	}
	var story []string
	for _, entry := range log.lines {
		story = append(story, entry["msg"].(string))
		if entry["member"] != "m1" || entry["level"] == nil || entry["time"] == nil {
			t.Errorf("log line %v lacks member, level or time", entry)
		}
	}
	if got := strings.Join(story, ", "); !strings.Contains(got, "up, draining") || !strings.HasSuffix(got, "left") {
		t.Errorf("the log tells: %s; want up, draining, …, left", got)
	}
}

func TestRun_FaultsOfTheClusterAreToldAtOnce(t *testing.T) {
	c, err := parseConfig([]string{"-cluster", "", "-address", "127.0.0.1:99999"}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), c, io.Discard)
	if err == nil {
		t.Fatal("run accepts an empty cluster name and an impossible port")
	}
	for _, want := range []string{"name", "99999"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %s:\n%v", want, err)
		}
	}
}
