//go:build pictures

package browser_test

import (
	"encoding/base64"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/protocluster/workshop/tools/browser"
)

// terminal is what a command printed, as a terminal shows it.
var terminal = template.Must(template.New("terminal").Parse(`<!doctype html><title>terminal</title><style>
body { margin: 0; background: #10141a; color: #d7dde5; font: 13px/18px 'DejaVu Sans Mono', monospace; }
pre { margin: 14px 18px; white-space: pre-wrap; }
.prompt { color: #8b949e; }
.bad { color: #ff9e64; font-weight: bold; }
.good { color: #7fd1ae; }
</style><pre><span class=prompt>$</span> {{.Command}}
{{range .Lines}}<span class="{{.Class}}">{{.Text}}</span>
{{end}}</pre>`))

type line struct{ Class, Text string }

// What is done to a member, and what comes of it.
var (
	isBad  = regexp.MustCompile(`kill -(9|STOP|CONT)`)
	isGood = regexp.MustCompile(`answers again|is back as|went backwards: 0|^ok`)
)

// TestTerminal makes the picture of a terminal anew that shows the demo on Consul.
func TestTerminal(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-o", bin, "./cmd/member", "./cmd/demo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "demo"), "-plain", "-provider", "consul",
		"-member", filepath.Join(bin, "member"), "-consul", consul(t)).Output()
	if err != nil {
		t.Fatalf("the demo: %v\n%s", err, out)
	}
	var lines []line
	for text := range strings.SplitSeq(strings.TrimRight(string(out), "\n"), "\n") {
		l := line{Text: text}
		switch {
		case isGood.MatchString(text):
			l.Class = "good"
		case isBad.MatchString(text):
			l.Class = "bad"
		}
		if strings.HasPrefix(text, "ok") {
			l.Text, _, _ = strings.Cut(text, ";") // the rest was told above, and would need a wider terminal
		}
		lines = append(lines, l)
	}
	var html strings.Builder
	if err := terminal.Execute(&html, map[string]any{"Command": "make demo PROVIDER=consul", "Lines": lines}); err != nil {
		t.Fatal(err)
	}
	b := openTab(t, browser.Screen{Width: 1000, Height: int64(28 + 18*(len(lines)+2))})
	b.load("data:text/html;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(html.String())))
	png, err := b.Picture()
	if err != nil {
		t.Fatal(err)
	}
	if len(png) > mostPicture {
		t.Errorf("the picture has %d bytes, want at most %d", len(png), mostPicture)
	}
	if err := os.WriteFile(filepath.Join(root, "cmd", "demo", "terminal.png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
