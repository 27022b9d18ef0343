//go:build !chapter4

package main

import (
	"io"
	"strings"
	"testing"
)

func TestConfig_WithoutChapter4SaysHowToBuildIt(t *testing.T) {
	c, err := parseConfig([]string{"-lookup", "chapter4"}, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.clusterConfig(t.Context()); err == nil || !strings.Contains(err.Error(), "go build -tags=chapter4 ./cmd/member") {
		t.Errorf("error = %v, want one that says how to build it in", err)
	}
}
