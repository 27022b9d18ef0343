package seat

import (
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

const (
	// tardy is how late a timer of this process shows that the process itself
	// was held up.
	tardy = 50 * time.Millisecond
	// forgiving is how many times in a row that is a reason to wait on: dialling
	// anew is the most expensive thing that a process without time can do.
	forgiving = 4
)

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
func (p *progress) late() {
	p.mu.Lock()
	forgive := time.Since(p.due) > tardy && p.forgiven < forgiving
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
func (p *progress) sending() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent == p.arrived {
		p.expect()
	}
	p.sent++
}

// closing takes note that the stream is about to be closed: its end has to come.
func (p *progress) closing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect()
}

// follow reads the receipts of stream until it ends.
func (p *progress) follow(stream seatpb.Seat_TellClient) error {
	for {
		r, err := stream.Recv()
		if err != nil {
			return err
		}
		if !p.receipt(r.GetFrames()) {
			return status.Errorf(codes.InvalidArgument, "a receipt for %d frames", r.GetFrames())
		}
	}
}

// receipt takes note that so many frames have arrived; false if that cannot be.
func (p *progress) receipt(frames uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if frames <= p.arrived || frames > p.sent {
		return false
	}
	p.arrived, p.forgiven = frames, 0
	if p.arrived == p.sent {
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
