//go:build !windows

package durable

import "syscall"

const diskFull = syscall.ENOSPC
