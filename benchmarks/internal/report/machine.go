package report

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Machine describes where this process runs, as far as that is known: such as
// "linux/amd64, 2 processors, 24.0 GiB, some processor".
func Machine() string {
	parts := []string{runtime.GOOS + "/" + runtime.GOARCH, fmt.Sprintf("%d processors", runtime.GOMAXPROCS(0))}
	if total, ok := field("/proc/meminfo", "MemTotal"); ok {
		var kilobytes float64
		if _, err := fmt.Sscan(total, &kilobytes); err == nil {
			parts = append(parts, Value(kilobytes*1024, "B"))
		}
	}
	if model, ok := field("/proc/cpuinfo", "model name"); ok {
		parts = append(parts, model)
	}
	return strings.Join(parts, ", ")
}

// field is what stands after name and a colon, first, in a file.
func field(file, name string) (string, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// Versions lists Go, the commit if it is known, and the modules named.
func Versions(modules ...string) []string {
	versions := []string{runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " and changes to it"
		}
	}
	if revision != "" {
		versions = append(versions, "this repository at "+revision+changed)
	}
	for _, m := range info.Deps {
		if slices.Contains(modules, m.Path) {
			versions = append(versions, m.Path+" "+m.Version)
		}
	}
	return versions
}
