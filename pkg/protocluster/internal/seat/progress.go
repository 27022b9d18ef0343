package seat

import (
	"runtime"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

const (
	// tardy is how late a timer of this process shows that the process itself
	// was held up.
	tardy = 50 * time.Millisecond
	// hop is how long a goroutine that is ready to run waits for its turn where
	// time is short. A frame and its receipt take a dozen of them.
	hop = tardy / 10
	// forgiving is how many times in a row that is a reason to wait on: dialling
	// anew is the most expensive thing that a process without time can do.
	forgiving = 4
	// unanswered is how many frames need no receipt, if they are not pressing.
	// Whoever gets them sends one after half as many.
	unanswered = maxQueue
)

// pressing reports whether the receipt for a frame is due at once. It is for all
// but a grant, which is not worth another frame: whoever wants one asks again.
func pressing(f *seatpb.Frame) bool { return f.GetGrant() == nil }

// progress watches over a stream: what is sent has to arrive, and a connection
// to come about, before patience ends. TCP by itself would wait for minutes, and
// try again less and less often.
type progress struct {
	patience time.Duration
	giveUp   func()

	mu            sync.Mutex
	timer         *time.Timer // runs while something is on its way
	due           time.Time   // of timer
	forgiven      int         // times in a row that the timer was late, and was given another turn
	sent, arrived uint64      // frames
	pressing      uint64      // the last of those sent that a receipt is due for
}

func newProgress(patience time.Duration, giveUp func()) *progress {
	p := &progress{patience: patience, giveUp: giveUp}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(patience, p.late)
	p.due = time.Now().Add(patience)
	return p
}

func (p *progress) expect() {
	p.due = time.Now().Add(p.patience)
	p.timer.Reset(p.patience)
}

// late gives up, unless this process was held up: what it waits for may be here.
// If all who are ready to run get their turn soon, it was not.
func (p *progress) late() {
	asked := time.Now()
	runtime.Gosched()
	turn := time.Since(asked)
	p.mu.Lock()
	forgive := (turn > hop || time.Since(p.due) > tardy) && p.forgiven < forgiving
	if forgive {
		p.forgiven++
		p.expect()
	}
	p.mu.Unlock()
	if !forgive {
		p.giveUp()
	}
}

// sending takes note of a frame that is about to be sent.
func (p *progress) sending(f *seatpb.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	if !pressing(f) && p.sent-p.arrived <= unanswered {
		return
	}
	if p.pressing <= p.arrived {
		p.expect()
	}
	p.pressing = p.sent
}

// closing takes note that the stream is about to be closed: its end has to come.
func (p *progress) closing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect()
}

// receipt takes note that so many frames have arrived; false if that cannot be.
// What is a receipt and nothing else has to be news.
func (p *progress) receipt(frames uint64, alone bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case frames < p.arrived || frames > p.sent || alone && frames == p.arrived:
		return false
	case frames == p.arrived:
		return true
	}
	p.arrived, p.forgiven = frames, 0
	if p.arrived >= p.pressing {
		p.timer.Stop()
	} else {
		p.expect()
	}
	return true
}

// heard reports whether anything has arrived.
func (p *progress) heard() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.arrived > 0
}

func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
}
