package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
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
	for _, want := range []string{
		"-cluster", "-name", "-address", "-provider", "-bind", "-seeds", "-consul", "-consul-token-file", "-consul-prefix",
		"-lookup", "-kinds", "-log-level", "-drain", "-dashboard", "-dashboard-reports", "-dashboard-names", "-dashboard-token", "MEMBER_LOG_LEVEL", "CONSUL_HTTP_ADDR", "SIGTERM",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help does not mention %s:\n%s", want, out.String())
		}
	}
}

func TestConfig_EveryFaultIsToldAtOnceWithItsFix(t *testing.T) {
	rows := []struct {
		name string
		args []string
		want []string
	}{
		{
			"unknown names", []string{"-address", "nowhere", "-provider", "zookeeper", "-lookup", "magic", "-kinds", "user, unicorn"},
			[]string{
				"host:port, such as", `-provider "zookeeper" is unknown; use automanaged or consul`,
				`-lookup "magic" is unknown; use disthash, partition or chapter4`, `"unicorn" is unknown; this program knows user`,
			},
		},
		{
			"automanaged", []string{"-lookup", "partition", "-consul", "127.0.0.1:8500", "-consul-prefix", "rooms"},
			[]string{
				"-lookup partition needs a store", "use -provider consul, or -lookup disthash",
				"-consul means nothing to -provider automanaged", "-consul-prefix means nothing to -provider automanaged",
			},
		},
		{
			"consul", []string{
				"-provider", "consul", "-seeds", "127.0.0.1:6330", "-consul", "ftp://127.0.0.1", "-consul-prefix", "rooms/",
				"-consul-token-file", "/nowhere/token", "-lookup", "magic",
			},
			[]string{
				"-seeds means nothing to -provider consul; leave it out, or use -provider automanaged",
				"begins with ftp; write host:port", `write it as "rooms"`, "/nowhere/token", `-lookup "magic" is unknown`,
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, err := parseConfig(row.args, environment(nil), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.clusterConfig(t.Context())
			for _, want := range row.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestConfig_TheProviderAndTheLookupAreThoseThatTheFlagsSay(t *testing.T) {
	env := environment(map[string]string{"MEMBER_PROVIDER": "consul", "MEMBER_CONSUL": "127.0.0.1:8501", "MEMBER_CONSUL_PREFIX": "rooms"})
	c, err := parseConfig([]string{"-lookup", "partition"}, env, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	config, err := c.clusterConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := config.Provider.(cluster.ViewStore); !ok {
		t.Errorf("the provider is a %T, want one with a view store", config.Provider)
	}
	if _, ok := config.Lookup.(*partition.Lookup); !ok {
		t.Errorf("the lookup is a %T, want partition's", config.Lookup)
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
	joined := 0
	for _, entry := range log.lines {
		if msg := entry["msg"].(string); msg == "member joined" {
			joined++ // told by another goroutine, before "up" or after it
		} else {
			story = append(story, msg)
		}
		if entry["name"] != "m1" || entry["level"] == nil || entry["time"] == nil {
			t.Errorf("log line %v lacks name, level or time", entry)
		}
	}
	if got := strings.Join(story, ", "); !strings.Contains(got, "up, draining") || !strings.HasSuffix(got, "left") {
		t.Errorf("the log tells: %s; want up, draining, …, left", got)
	}
	if joined != 1 {
		t.Errorf("the log tells %d times that a member joined, want once, of itself", joined)
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
