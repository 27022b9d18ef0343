//go:build !linux

package main

import "os/exec"

// dieWithParent does nothing: only Linux ends a process with the one that
// started it. The demo has to be killed for that to matter.
func dieWithParent(*exec.Cmd) {}
