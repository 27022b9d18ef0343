package sim

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// note is one line of the trace, not written out yet.
type note struct {
	at      time.Duration
	what    what
	proc    int32
	from    int32
	number  uint64
	flag    bool
	text    string
	view    *sealedview.View
	message sealedview.Message
}

// what a note is about.
type what uint8

const (
	noteStart what = iota
	noteStop
	noteHear
	noteInstall
	noteEvicted
	noteWrite
	noteApply
	noteActivate
	noteRelease
	noteDrained
	notePulled
	noteLease
	noteWarn
	noteFault
)

// trace keeps the last notes, and a digest of all.
type trace struct {
	ring   [512]note
	count  uint64
	digest uint64
	out    io.Writer // gets all of it, if not nil
}

func (w *world) note(n note) {
	n.at = w.now
	t := &w.trace
	t.ring[t.count%uint64(len(t.ring))] = n
	t.count++
	d := t.digest ^ uint64(n.at)<<8 ^ uint64(n.what) ^ uint64(n.proc)<<48 ^ uint64(n.from)<<56 ^ n.number<<20
	if n.view != nil {
		d ^= n.view.Epoch << 3
	}
	t.digest = mix(d + 0x9e3779b97f4a7c15)
	if t.out != nil {
		fmt.Fprintln(t.out, w.line(n))
	}
}

// tail returns the last notes but the traffic of leases.
func (w *world) tail(most int) []string {
	var lines []string
	t := &w.trace
	for i := t.count; i > 0 && t.count-i < uint64(len(t.ring)) && len(lines) < most; i-- {
		if n := t.ring[(i-1)%uint64(len(t.ring))]; !n.dull() {
			lines = append(lines, w.line(n))
		}
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines
}

// dull are the messages that say the same all the time.
func (n *note) dull() bool {
	switch n.message.(type) {
	case sealedview.Renew, sealedview.Grant, sealedview.Heard, sealedview.Knock, sealedview.Answer:
		return true
	}
	return false
}

// line is a note for people.
func (w *world) line(n note) string {
	who := ""
	if n.proc >= 0 {
		who = w.procs[n.proc].self.ID
	}
	var text string
	switch n.what {
	case noteStart:
		text = "starts"
	case noteStop:
		text = "ends: " + n.text
	case noteHear:
		text = fmt.Sprintf("hears %s: %s", w.procs[n.from].self.ID, describe(n.message))
	case noteInstall:
		text = "installs " + viewText(n.view)
	case noteEvicted:
		text = "learns that it is no member of " + viewText(n.view)
	case noteWrite:
		text = "asks the store for " + viewText(n.view)
	case noteApply:
		text = "is refused " + viewText(n.view)
		if n.flag {
			text = "has put " + viewText(n.view) + " in the store"
		}
	case noteActivate:
		text = fmt.Sprintf("activates identity %d", n.number)
	case noteRelease:
		text = fmt.Sprintf("releases identity %d", n.number)
	case notePulled:
		text = fmt.Sprintf("hears %s: it does not hold identity %d", w.procs[n.from].self.ID, n.number)
	case noteDrained:
		text = "is drained"
	case noteLease:
		text = "has no lease any more"
		if n.flag {
			text = "has a lease"
		}
	case noteWarn:
		text = "warns: " + n.text
	case noteFault:
		who, text = "*", n.text
	}
	return fmt.Sprintf("%10.6f  %-4s %s", n.at.Seconds(), who, text)
}

func viewText(v *sealedview.View) string {
	if v == nil {
		return "no view"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "view %s {", stampText(v.Stamp))
	for i := range v.Members {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(v.Members[i].ID)
		if v.Members[i].State == sealedview.Leaving {
			b.WriteString("(leaving)")
		}
	}
	b.WriteByte('}')
	if v.Before.Epoch != 0 {
		fmt.Fprintf(&b, " after %s", stampText(v.Before))
	}
	if len(v.Excluded) > 0 {
		fmt.Fprintf(&b, " without votes for %v", v.Excluded)
	}
	if v.Override != "" {
		fmt.Fprintf(&b, " with override %s", v.Override)
	}
	if v.Forced {
		b.WriteString(" by override")
	}
	return b.String()
}

func stampText(s sealedview.Stamp) string { return fmt.Sprintf("%d/%s", s.Epoch%1e9, s.Seal) }

func describe(m sealedview.Message) string {
	switch m := m.(type) {
	case sealedview.Renew:
		return fmt.Sprintf("renew %s #%d serves=%t", stampText(m.View), m.Seq, m.Serves)
	case sealedview.Grant:
		return fmt.Sprintf("grant %s #%d granted=%t sealed=%t age=%v", stampText(m.View), m.Seq, m.Granted, m.Sealed, m.StoreAge)
	case sealedview.Exclude:
		return fmt.Sprintf("exclude %s in %s", m.Target, stampText(m.View))
	case sealedview.Excluded:
		return fmt.Sprintf("excluded %s in %s: %t, promised for %v", m.Target, stampText(m.View), m.Excluded, m.Remaining)
	case sealedview.Push:
		return "push " + viewText(m.View)
	case sealedview.Barrier:
		return fmt.Sprintf("barrier %s all=%t of=%x", stampText(m.View), m.All, m.Of)
	case sealedview.Heard:
		return fmt.Sprintf("heard barrier %s all=%t", stampText(m.View), m.All)
	}
	return fmt.Sprintf("%T", m)
}
