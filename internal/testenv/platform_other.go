//go:build !linux

package testenv

import "os/exec"

// dieWithParent has no equivalent here: servers end through t.Cleanup only.
func dieWithParent(*exec.Cmd) {}

// keepsAttributes takes it for granted, as on the usual file systems.
func keepsAttributes(string) bool { return true }
