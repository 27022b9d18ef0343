//go:build integration

package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/tools/browser"
)

const (
	mostBytes = 150_000
	mostPaint = 1000 // milliseconds
	// halfFrame is what the page's scripts may take of the 16.7 ms of each of 60
	// frames a second.
	halfFrame = 8300 * time.Microsecond
)

// counter notes when frames come.
const counter = `(() => {
	const ask = window.requestAnimationFrame.bind(window);
	window.frames = [];
	window.requestAnimationFrame = (work) => ask((now) => { work(now); frames.push(now); });
})()`

const threeUp = `document.querySelectorAll('.card[data-state=up]').length === 3`

// The page as people use it, on three members that are real processes.
func TestPage(t *testing.T) {
	d := startDemo(t)
	b := openTab(t, browser.Screen{Width: 1280, Height: 720, Before: counter})
	b.load(d.page)
	b.await("three members and 1,000 identities", threeUp+` && document.getElementById('fact-identities').textContent === '1,000'
		&& document.getElementById('map').dataset.dots === '1000'`)
	t.Run("it is small and soon there", func(t *testing.T) { firstPaint(t, b) })
	b.settle(time.Second)
	b.save("page-light.png")
	scheme(b, true)
	b.save("page-dark.png")

	host := searchByKeyboard(b)
	worked := countFrames(b)
	d.signal(t, host, syscall.SIGKILL)
	b.await("a member dies", fmt.Sprintf(`['silent', 'out'].includes(document.querySelector('.card[data-member=%s]').dataset.state)`, host))
	b.await("identities move", `document.getElementById('map').dataset.moves > 200`)
	b.settle(400 * time.Millisecond)
	b.save("page-dark-moving.png")
	b.await("user/123 is elsewhere", fmt.Sprintf(`/^user\/123 is on m/.test(document.getElementById('found-answer').textContent)
		&& !document.getElementById('found-answer').textContent.startsWith('user/123 is on %s')`, host))
	b.settle(time.Second)
	t.Run("it is fluid", func(t *testing.T) { fluid(t, b, 1000, worked) })
	if why := b.text("#stays dd"); !strings.Contains(why, "moved because "+host+" was out of the view") {
		t.Errorf("user/123 moved: %q, want that %s was out of the view", why, host)
	}
	if happened := b.text("#happened"); !strings.Contains(happened, host+" is out of the view") || !strings.Contains(happened, "identities moved: "+host) {
		t.Errorf("what happened is %q", happened)
	}
	b.save("page-dark-moved.png")
	scheme(b, false)
	b.save("page-light-moved.png")
	t.Run("Escape closes what was found", func(t *testing.T) {
		keys(b, "\x1b")
		b.await("it is closed", `document.getElementById('found').hidden`)
	})
	b.await("the member is back", threeUp)
	t.Run("the console is quiet", func(t *testing.T) { quiet(t, b) })
	t.Run("a member's own page", func(t *testing.T) { ownPage(t, d) })
	t.Run("without JavaScript", func(t *testing.T) { withoutJavaScript(t, d) })
	t.Run("a member stands still", func(t *testing.T) { standsStill(t, d) })
	t.Run("in a lab", func(t *testing.T) { buttons(t, d) })
	t.Run("a crowd", func(t *testing.T) { crowded(t, d) })
}

func scheme(b *tab, dark bool) {
	b.t.Helper()
	if err := b.Scheme(dark); err != nil {
		b.t.Fatal(err)
	}
	b.settle(300 * time.Millisecond)
}

func keys(b *tab, text string) {
	b.t.Helper()
	if err := b.Keys(text); err != nil {
		b.t.Fatal(err)
	}
}

// searchByKeyboard finds user/123, and returns the name of the member it is on.
func searchByKeyboard(b *tab) (host string) {
	b.t.Helper()
	keys(b, "/")
	b.await("the search has the focus", `document.activeElement.id === 'q'`)
	keys(b, "user/123\r")
	b.await("user/123 is found", `/^user\/123 is on m/.test(document.getElementById('found-answer').textContent)`)
	answer := b.text("#found-answer")
	host, _, _ = strings.Cut(strings.TrimPrefix(answer, "user/123 is on "), ".")
	if !strings.Contains(b.text("#stays"), "fencing token") || !strings.Contains(b.text("#stays"), "userpb.Visit") {
		b.t.Errorf("user/123 is %q, want its token and its last messages", b.text("#stays"))
	}
	return host
}

func firstPaint(t *testing.T, b *tab) {
	paint := value[float64](b, `performance.getEntriesByName('first-contentful-paint')[0].startTime`)
	size := value[float64](b, `performance.getEntries().filter((e) => e.encodedBodySize).reduce((n, e) => n + e.encodedBodySize, 0)`)
	elsewhere := value[float64](b, `performance.getEntriesByType('resource').filter((e) => !e.name.startsWith(location.origin)).length`)
	t.Logf("first paint after %.0f ms, %.0f bytes", paint, size)
	if paint > mostPaint || size > mostBytes || size < 10_000 || elsewhere != 0 {
		t.Errorf("first paint after %.0f ms, %.0f bytes, %.0f from elsewhere; want at most %d ms, %d bytes, none", paint, size, elsewhere, mostPaint, mostBytes)
	}
}

// countFrames begins to count frames, and returns what the scripts have worked until then.
func countFrames(b *tab) (worked time.Duration) {
	b.t.Helper()
	value[bool](b, `(frames.length = 0, true)`)
	return b.worked()
}

// fluid checks what a frame has cost since countFrames returned worked, the events
// that came meanwhile included. How many frames came in a second depends on what else
// the machine does, and is told.
func fluid(t *testing.T, b *tab, dots int, worked time.Duration) {
	t.Helper()
	worked = b.worked() - worked
	frames := value[int](b, `frames.length`)
	gaps := value[[]float64](b, `frames.slice(1).map((f, i) => f - frames[i]).filter((g) => g > 0 && g < 250)`)
	if len(gaps) < 10 {
		t.Fatalf("%d frames were drawn while %d dots moved, want more", frames, dots)
	}
	slices.Sort(gaps)
	each := worked / time.Duration(frames)
	t.Logf("%d dots: a frame takes %.2f ms of a processor; %.1f frames a second in the median of %d", dots, each.Seconds()*1000,
		1000/gaps[len(gaps)/2], len(gaps))
	if each > halfFrame {
		t.Errorf("a frame of %d dots takes %v of a processor, want at most %v", dots, each, halfFrame)
	}
}

// quiet allows what the browser says of the address that only a lab has.
func quiet(t *testing.T, b *tab) {
	for _, m := range b.Console() {
		if !strings.Contains(m, "404") || !strings.HasSuffix(m, "/lab/actions") {
			t.Errorf("the console: %s", m)
		}
	}
}

func ownPage(t *testing.T, d *demo) {
	b := openTab(t, browser.Screen{Width: 1920, Height: 1080})
	page := d.ownPage()
	b.load(page)
	b.await("three members and all identities", threeUp+` && document.getElementById('map').dataset.dots === '1000'`)
	b.settle(time.Second)
	b.save("page-of-a-member.png")
	b.load(page + "?q=user/123")
	b.await("what the address asks for is found", `/^user\/123 is on m/.test(document.getElementById('found-answer').textContent)`)
}

func withoutJavaScript(t *testing.T, d *demo) {
	b := openTab(t, browser.Screen{Width: 1280, Height: 900, NoJavaScript: true})
	b.load(d.page + "?q=user/123")
	png := b.save("page-without-javascript.png")
	text := value[string](b, "document.body.innerText")
	for _, want := range []string{"m1", "m2", "m3", "user/123 is on m", "fencing token"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q, see %s:\n%s", want, png, text)
		}
	}
}

// standsStill stops a member for several leases: it is not dead, and yet out.
func standsStill(t *testing.T, d *demo) {
	b := openTab(t, browser.Screen{Width: 1280, Height: 720})
	b.load(d.page)
	b.await("three members", threeUp)
	d.signal(t, "m3", syscall.SIGSTOP)
	b.await("it is out", `document.querySelector('.card[data-member=m3]').dataset.state === 'out'`)
	b.settle(2 * time.Second)
	b.save("page-light-paused.png")
	d.signal(t, "m3", syscall.SIGCONT)
	b.await("it is back", threeUp)
	b.await("it is known that it was gone", `/m3 has learnt that the others went on without it/.test(document.getElementById('happened').textContent)`)
}
