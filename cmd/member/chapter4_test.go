//go:build chapter4

package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	assembled "github.com/protocluster/workshop/chapters/chapter4/11_lab"
)

// As long as the exercises are stubs, this says which; with the solutions it
// runs, which go tool workshop verify tries.
func TestRun_Chapter4IsWhatTheLearnerWrote(t *testing.T) {
	c, err := parseConfig([]string{"-lookup", "chapter4", "-bind", "127.0.0.1:0", "-cluster", t.Name()}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &upWatcher{cancel: cancel}
	err = run(ctx, c, log)
	if unwritten := assembled.Ready(); unwritten != nil {
		if err == nil || !strings.Contains(err.Error(), "are not written yet; go tool workshop next") {
			t.Errorf("error = %v, want one that lists the exercises", err)
		}
		return
	}
	if err != nil || len(log.lines) == 0 || log.lines[len(log.lines)-1]["msg"] != "left" {
		t.Errorf("run = %v, and the log is %v; want it to join and leave", err, log.lines)
	}
}
