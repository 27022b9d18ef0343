//go:build !windows

package suite

import (
	"os/exec"
	"syscall"
)

// group starts cmd in a process group of its own, so that interrupt reaches the
// test binaries as well: go itself waits for them, however long they take.
func group(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interrupt(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
