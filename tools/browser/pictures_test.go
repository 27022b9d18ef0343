//go:build pictures

package browser_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/tools/browser"
)

// mostPicture is what a README's reader should have to load for one.
const mostPicture = 200_000

// TestPictures makes the pictures of the texts anew: user/123 a moment after the
// member that hosted it was killed.
func TestPictures(t *testing.T) {
	d := startDemo(t)
	b := openTab(t, browser.Screen{Width: 1280, Height: 720})
	b.load(d.page + "?q=user/123")
	b.await("three members and 1,000 identities", `document.querySelectorAll('.card[data-state=up]').length === 3
		&& document.getElementById('map').dataset.dots === '1000' && /^user\/123 is on m/.test(document.getElementById('found-answer').textContent)`)
	b.settle(20 * time.Second) // so that the charts show something
	host := value[string](b, `document.getElementById('found-answer').textContent.match(/is on (m\d)/)[1]`)
	d.signal(t, host, syscall.SIGKILL)
	b.await("its identities have moved", `/identities moved/.test(document.getElementById('happened').textContent)`)
	b.settle(1500 * time.Millisecond)
	for name, dark := range map[string]bool{"live-page-light.png": false, "live-page-dark.png": true} {
		if err := b.Scheme(dark); err != nil {
			t.Fatal(err)
		}
		b.settle(300 * time.Millisecond)
		png, err := b.Picture()
		if err != nil {
			t.Fatal(err)
		}
		if len(png) > mostPicture {
			t.Errorf("%s has %d bytes, want at most %d", name, len(png), mostPicture)
		}
		if err := os.WriteFile(filepath.Join(root, "pkg", "protocluster", "dashboard", "pictures", name), png, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, %d bytes", name, len(png))
	}
}
