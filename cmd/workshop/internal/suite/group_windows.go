package suite

import "os/exec"

// group does nothing: Windows has no signals that a group could be sent.
func group(*exec.Cmd) {}

func interrupt(cmd *exec.Cmd) error { return cmd.Process.Kill() }
