// Package browser drives a real browser, for tests of what people see.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// Screen is what a browser draws on.
type Screen struct {
	Width, Height int64
	Dark          bool
	NoJavaScript  bool
	Before        string // JavaScript that runs before that of each page
}

// Tab is one page of a browser of its own. Its methods are not to be called
// concurrently.
type Tab struct {
	ctx context.Context //nolint:containedctx // of the browser: it is how chromedp names one

	mu       sync.Mutex
	messages []string // of the console, guarded by mu
}

// Find returns the program: $CHROMIUM, or else the first that is in the PATH.
func Find() (string, error) {
	if program := os.Getenv("CHROMIUM"); program != "" {
		return program, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", errors.New("browser: there is no Chromium; install it, such as by apt-get install chromium, or set CHROMIUM to one")
}

// Open starts a browser that has an empty tab. It ends with close, or with ctx.
func Open(ctx context.Context, screen Screen) (tab *Tab, closeIt func(), err error) {
	program, err := Find()
	if err != nil {
		return nil, nil, err
	}
	// It shows nothing but what the tests serve, and as root it takes no sandbox.
	ctx, end := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox)
	ctx, cancel := chromedp.NewContext(ctx)
	closeIt = func() {
		cancel()
		end()
	}
	tab = &Tab{ctx: ctx}
	if err := tab.begin(screen); err != nil {
		closeIt()
		return nil, nil, fmt.Errorf("browser: start %s: %w", program, err)
	}
	return tab, closeIt, nil
}

func (t *Tab) begin(screen Screen) error {
	if err := chromedp.Do(t.ctx, chromedp.Navigate("about:blank")); err != nil {
		return err
	}
	console := chromedp.Console(t.ctx)
	go func() { // ends with the browser
		for m, err := range console {
			if err != nil {
				return
			}
			t.mu.Lock()
			t.messages = append(t.messages, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			t.mu.Unlock()
		}
	}()
	_, err := chromedp.Call(t.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	_, size := chromedp.Call(t.ctx, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: screen.Width, Height: screen.Height, DeviceScaleFactor: 1})
	err = errors.Join(err, size)
	if screen.NoJavaScript {
		_, off := chromedp.Call(t.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		err = errors.Join(err, off)
	}
	if screen.Before != "" {
		_, add := chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: screen.Before})
		err = errors.Join(err, add)
	}
	return errors.Join(err, t.Scheme(screen.Dark))
}

// Scheme has the page be dark, or light, from now on.
func (t *Tab) Scheme(dark bool) error {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	return err
}

// Load opens an address and waits until it is loaded.
func (t *Tab) Load(url string) error { return chromedp.Do(t.ctx, chromedp.Navigate(url)) }

// Keys presses keys, as a person does.
func (t *Tab) Keys(keys string) error { return chromedp.Do(t.ctx, chromedp.KeyEvent(keys)) }

// Click clicks the first element that a CSS selector matches, if it can be seen. It
// is looked for and clicked in one go, for a page may make it anew at any time.
func (t *Tab) Click(selector string) error {
	fault, err := Value[string](t, fmt.Sprintf(click, selector))
	if err == nil && fault != "" {
		err = fmt.Errorf("browser: click %s: %s", selector, fault)
	}
	return err
}

// click clicks an element, or says why it cannot.
const click = `(() => {
	const e = document.querySelector(%q);
	if (!e) return "there is none";
	e.scrollIntoView({block: "center"});
	const r = e.getBoundingClientRect(), top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
	if (!e.contains(top)) return "it is out of sight, or something else is there: " + (top && top.outerHTML.slice(0, 200));
	e.click();
	return "";
})()`

// Picture is what the tab shows, as a PNG.
func (t *Tab) Picture() ([]byte, error) { return chromedp.Run(t.ctx, chromedp.CaptureScreenshot()) }

// Worked is the processor time that the page's scripts have taken so far: unlike the
// time that passed meanwhile, it does not grow with what else the machine does.
func (t *Tab) Worked() (time.Duration, error) {
	m, err := chromedp.Call(t.ctx, performance.GetMetrics, cdp.Empty{})
	for _, m := range m.Metrics {
		if m.Name == "ScriptDuration" {
			return time.Duration(m.Value * float64(time.Second)), nil
		}
	}
	return 0, errors.Join(err, errors.New("browser: it does not tell what its scripts took"))
}

// Console is what the page has said to the console so far.
func (t *Tab) Console() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.messages...)
}

// Value is what an expression of JavaScript, or the promise of it, has as value.
func Value[T any](t *Tab, expression string) (T, error) {
	return chromedp.Run(t.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}
