//go:build integration || pictures

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/protocluster/workshop/tools/browser"
)

// tab is a browser's tab in a test.
type tab struct {
	*browser.Tab

	t *testing.T
}

func openTab(t *testing.T, screen browser.Screen) *tab {
	t.Helper()
	b, closeIt, err := browser.Open(t.Context(), screen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeIt)
	return &tab{Tab: b, t: t}
}

func (b *tab) load(url string) {
	b.t.Helper()
	if err := b.Load(url); err != nil {
		b.t.Fatal(err)
	}
}

// await waits until an expression of JavaScript is true. The browser looks at each
// frame.
func (b *tab) await(what, expression string) {
	b.t.Helper()
	script := fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + %d;
		const look = () => { let ok = false; try { ok = !!(%s) } catch {} if (ok || Date.now() > end) done(ok); else setTimeout(look, 20); };
		look();
	})`, patience.Milliseconds(), expression)
	if ok, err := browser.Value[bool](b.Tab, script); err != nil || !ok {
		body, _ := browser.Value[string](b.Tab, "document.body.innerText")
		b.save("failed.png")
		b.t.Fatalf("not within %v: %s; %v; the page says:\n%s", patience, what, err, body)
	}
}

func (b *tab) text(selector string) string {
	return value[string](b, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := browser.Value[T](b.Tab, expression)
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) worked() time.Duration {
	b.t.Helper()
	d, err := b.Worked()
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// save keeps a picture among the artifacts, and returns where.
func (b *tab) save(name string) string {
	b.t.Helper()
	png, err := b.Picture()
	if err != nil {
		b.t.Fatal(err)
	}
	return keep(b.t, name, png)
}

func keep(t *testing.T, name string, data []byte) string {
	t.Helper()
	folder := os.Getenv("ARTIFACTS")
	if folder == "" {
		folder = filepath.Join(root, ".bin", "artifacts")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("kept %s, %d bytes", path, len(data))
	return path
}

// settle waits for what moves on the page.
func (b *tab) settle(d time.Duration) {
	b.t.Helper()
	value[bool](b, fmt.Sprintf(`new Promise((done) => setTimeout(() => done(true), %d))`, d.Milliseconds()))
}
