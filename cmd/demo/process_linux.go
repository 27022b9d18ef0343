package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the system kill the process if the demo is killed itself,
// and cannot do it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
