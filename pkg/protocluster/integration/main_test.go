//go:build integration

package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// nodeVariable is the environment variable that makes this program a node of a
// cluster: a nodeConfig, in JSON.
const nodeVariable = "PROTOCLUSTER_TEST_NODE"

// TestMain runs the tests, or one of the processes that they start.
func TestMain(m *testing.M) {
	text := os.Getenv(nodeVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var config nodeConfig
	err := json.Unmarshal([]byte(text), &config)
	if err == nil {
		err = runNode(ctx, config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
