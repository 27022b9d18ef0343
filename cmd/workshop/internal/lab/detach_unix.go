//go:build unix

package lab

import (
	"os/exec"
	"syscall"
)

// detach has a process live on when the terminal is closed.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
