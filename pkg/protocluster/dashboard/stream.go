package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

const (
	// slowest is how long a browser may take to read one piece of its stream.
	slowest = 5 * time.Second
	// quiet is how often a stream says something, at least.
	quiet = 15 * time.Second
)

// viewer is one stream, and how much of everything went into it.
type viewer struct {
	at      time.Time // of the newest point
	point   int64
	event   uint64
	samples map[string]uint64 // by address
	text    bytes.Buffer
}

// events streams what the page shows until the reader goes or the page ends: now
// all of it, later what is new. A reader that is slow skips what has passed.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.viewers <- struct{}{}:
		defer func() { <-p.viewers }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "dashboard: as many look on as this page can serve; close one, or try again later", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	v := viewer{samples: make(map[string]uint64)}
	v.text.WriteString("retry: 1000\n\n")
	wake := time.NewTimer(quiet)
	defer wake.Stop()
	for {
		now, changed := p.now.Load()
		v.take(now)
		_ = control.SetWriteDeadline(time.Now().Add(slowest)) // where that is possible
		if _, err := w.Write(v.text.Bytes()); err != nil || control.Flush() != nil {
			return
		}
		v.text.Reset()
		wake.Reset(quiet)
		select {
		case <-changed:
		case <-wake.C:
			v.text.WriteString(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-p.over:
			return
		}
	}
}

// take adds to the text what is new in a snapshot.
func (v *viewer) take(now *snapshot) {
	if now.state == nil || now.At.Equal(v.at) {
		return
	}
	v.at = now.At
	v.write("state", now.state)
	for _, m := range now.Members {
		if v.samples[m.Address] != m.Sample {
			v.samples[m.Address] = m.Sample
			v.encode("dots", now.dots(m.Address, m.Sample))
		}
	}
	for address := range v.samples {
		if _, there := now.member(address); !there {
			delete(v.samples, address)
		}
	}
	if news := after(now.events, v.event); len(news) > 0 {
		v.event = news[len(news)-1].ID
		v.encode("events", news)
	}
	var points []point
	for _, pt := range now.points {
		if pt.At > v.point {
			points = append(points, pt)
		}
	}
	if len(points) > 0 {
		v.point = points[len(points)-1].At
		v.encode("points", points)
	}
}

func (v *viewer) encode(name string, value any) {
	if text, err := json.Marshal(value); err == nil { // numbers that are finite, and texts
		v.write(name, text)
	}
}

func (v *viewer) write(name string, text []byte) {
	v.text.WriteString("event: " + name + "\ndata: ")
	v.text.Write(text)
	v.text.WriteString("\n\n")
}
