//go:build containers

package browser_test

import (
	"cmp"
	"os"
	"testing"
	"time"

	"github.com/protocluster/workshop/tools/browser"
)

// TestLabPage presses the buttons of a lab that runs in containers; the environment
// variable LAB_PAGE is where its page is, by default where make lab serves it.
func TestLabPage(t *testing.T) {
	page := cmp.Or(os.Getenv("LAB_PAGE"), "http://127.0.0.1:8080/")
	b := openTab(t, browser.Screen{Width: 1280, Height: 720})
	b.load(page + "?q=user/123")
	const answered = `document.getElementById('found-answer').textContent.match(/is on (member-\d)/)`
	b.await("three members, their identities and buttons", threeUp+` && document.getElementById('map').dataset.dots === '1000'
		&& document.querySelectorAll('.card [data-action=kill]').length === 3 && `+answered)
	b.settle(3 * time.Second)
	b.save("lab-light.png")
	host := value[string](b, answered+`[1]`)
	press := func(action string) {
		t.Helper()
		button := `.card[data-member=` + host + `] [data-action=` + action + `]`
		b.await("there is a button: "+action, `document.querySelector('`+button+`')`)
		if err := b.Click(button); err != nil {
			t.Fatalf("%s %s: %v", action, host, err)
		}
	}
	press("pause")
	b.await("user/123 is on another member", answered+` && `+answered+`[1] !== '`+host+`'`)
	b.await("the one that is paused can be resumed", `document.querySelectorAll('[data-action=resume]').length === 1`)
	if err := b.Scheme(true); err != nil {
		t.Fatal(err)
	}
	b.settle(time.Second)
	b.save("lab-dark-paused.png")
	press("resume")
	b.await("it is back", threeUp)
	press("kill")
	b.await("it is gone", `document.querySelectorAll('.card[data-state=up]').length === 2`)
	b.await("it can be restarted", `document.querySelectorAll('.card[data-member=`+host+`] [data-action=restart]').length === 1`)
	b.save("lab-dark-killed.png")
	press("restart")
	b.await("it is back, and all identities answer", threeUp+` && document.getElementById('map').dataset.dots === '1000'`)
}
