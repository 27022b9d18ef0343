package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
)

func TestMeeting_EachHasItsProviderAndLookup(t *testing.T) {
	up := []*member{{endpoint: "127.0.0.1:1"}, {endpoint: "127.0.0.1:2"}}
	rows := []struct {
		name    string
		meeting meeting
		flags   string
		fenced  bool
	}{
		{"by themselves", meeting{}, "-bind 127.0.0.1:0 -seeds 127.0.0.1:1,127.0.0.1:2", false},
		{"in Consul", meeting{consul: &agent{url: "http://127.0.0.1:3"}}, "-provider consul -consul http://127.0.0.1:3 -lookup partition", true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := strings.Join(row.meeting.flags(up), " "); got != row.flags {
				t.Errorf("flags = %q, want %q", got, row.flags)
			}
			provider, lookup := row.meeting.parts(up)
			_, stores := provider.(cluster.ViewStore)
			_, seals := lookup.(*partition.Lookup)
			if fenced := row.meeting.fenced(); fenced != row.fenced || stores != row.fenced || seals != row.fenced {
				t.Errorf("fenced = %v, with a %T and a %T; want %v", fenced, provider, lookup, row.fenced)
			}
		})
	}
}

func TestFindConsul_InItsOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("CONSUL_BIN", "")
	t.Setenv("PATH", t.TempDir())
	expect := func(given, want string) {
		t.Helper()
		if got, err := findConsul(given); got != want || (err != nil) != (want == "") {
			t.Errorf("findConsul(%q) = %q, %v, want %q", given, got, err, want)
		}
	}
	program := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	expect("", "")
	if err := os.Mkdir(".bin", 0o700); err != nil {
		t.Fatal(err)
	}
	program(".bin/consul")
	expect("", ".bin/consul")
	inPath := filepath.Join(os.Getenv("PATH"), "consul")
	program(inPath)
	expect("", inPath)
	t.Setenv("CONSUL_BIN", "/opt/consul")
	expect("", "/opt/consul")
	expect("/mine", "/mine")
}
