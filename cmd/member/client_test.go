package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ports"
	"github.com/protocluster/workshop/cmd/internal/witness"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// free are addresses at which nothing listens.
func free(t *testing.T, n int) []string {
	t.Helper()
	free, err := ports.Free(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	for _, port := range free {
		addresses = append(addresses, fmt.Sprint("127.0.0.1:", port))
	}
	return addresses
}

// begin runs a node until the test ends.
func begin(t *testing.T, args ...string) {
	t.Helper()
	c, err := parseConfig(append([]string{"-cluster", t.Name()}, args...), environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, c, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run %v = %v, want nil after it was told to leave", args, err)
		}
	})
}

// A client witnesses what a member answers and records, and both can be probed.
func TestRun_AClientWitnessesWhatAMemberDoes(t *testing.T) {
	at := free(t, 4)
	endpoint, member, observe := at[0], at[1], at[2]
	begin(t, "-name", "m1", "-address", member, "-bind", endpoint, "-ledger", "http://"+observe+"/ledger")
	begin(t, "-load", "20", "-observe", observe, "-bind", at[3], "-seeds", endpoint)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	r := new(witness.Report)
	for total := r.Total(); total.Answered < 40 || total.Recorded < 20; total = r.Total() {
		var text bytes.Buffer
		if ctx.Err() != nil {
			t.Fatalf("after a minute the client has seen %+v, want 40 answers and 20 writes", total)
		}
		<-pace.C
		if probe(ctx, "http://"+observe+"/report", &text) != nil {
			continue // it is not there yet
		}
		if err := json.Unmarshal(text.Bytes(), r); err != nil {
			t.Fatal(err)
		}
	}
	if r.On()["m1"] != 20 || len(r.Breaches) > 0 || len(r.Members) != 1 {
		t.Errorf("users are on %v of members %v, with breaches %v; want 20 on m1, and none", r.On(), r.Members, r.Breaches)
	}
	var text bytes.Buffer
	if err := probe(ctx, member, &text); err != nil || text.String() != "SERVING\n" {
		t.Errorf("probe of the member = %v, %q, want SERVING", err, text.String())
	}
	if err := probe(ctx, "http://"+observe+"/report?since=today", &text); err == nil || !strings.Contains(text.String(), "since is no time") {
		t.Errorf("probe of a bad report = %v, %q, want the fix", err, text.String())
	}
}

func TestProbe_WhoIsNotThereIsNotHealthy(t *testing.T) {
	nobody := free(t, 1)[0]
	for _, target := range []string{nobody, "http://" + nobody + "/report"} {
		if err := probe(t.Context(), target, io.Discard); err == nil || !strings.Contains(err.Error(), "member: probe") {
			t.Errorf("probe %s = %v, want an error", target, err)
		}
	}
}

func TestConfig_FaultsOfTheLabsFlagsAreTold(t *testing.T) {
	rows := []struct {
		args []string
		want string
	}{
		{[]string{"-load", "-1"}, "-load -1 is less than nobody"},
		{[]string{"-ledger", "ledger:7070"}, "write it as http://host:port/ledger"},
		{[]string{"-dashboard-published"}, "add -dashboard 0.0.0.0:8080"},
	}
	for _, row := range rows {
		c, err := parseConfig(row.args, environment(nil), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.clusterConfig(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v: error = %v, want %q", row.args, err, row.want)
		}
	}
}

func TestMemberName_IsThatOfTheHost(t *testing.T) {
	view := &cluster.View{Members: []cluster.Member{
		{Address: "member-1.lab:7000", Status: cluster.Up}, {Address: "10.0.0.1:7000", Status: cluster.Up}, {Address: "member-2.lab:7000", Status: cluster.Leaving},
	}}
	if got := fmt.Sprint(memberNames(view)); got != "[member-1 10.0.0.1:7000]" {
		t.Errorf("memberNames = %s, want those that are up", got)
	}
}
