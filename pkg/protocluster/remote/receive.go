package remote

import (
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

const (
	maxWatches   = 10_000               // by the actors of one client
	maxRemaining = 365 * 24 * time.Hour // to a deadline that is believed
)

// readLane handles a frame of a data lane.
func (s *session) readLane(f *remotepb.Frame) error {
	if f.Batch == nil {
		return s.r.violation("wrong frame", codes.InvalidArgument, "a data lane carries batches only")
	}
	b, err := decodeBatch(f.Batch)
	if err != nil {
		return s.r.violation("malformed batch", codes.InvalidArgument, "malformed batch: %v", err)
	}
	d := delivery{session: s, Batch: b, decoders: make([]decoder, len(b.Types)), pids: make([]*actor.PID, len(b.Senders))}
	payload := b.Payload
	for i, size := range b.Size {
		if b.Type[i] != 0 { // 0 was withdrawn
			if err := d.deliver(i, payload[:size]); err != nil {
				d.bounce(i, err)
			}
		}
		payload = payload[size:]
	}
	return nil
}

// delivery hands on the messages of one batch. What is named once in the batch
// is looked up once.
type delivery struct {
	*session
	*remotepb.Batch
	decoders []decoder    // of Types
	pids     []*actor.PID // of Senders
}

func (d *delivery) deliver(i int, payload []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault(ErrMalformed, "handing over a message panicked: %v", v)
		}
	}()
	typ, target, sender := int(d.Type[i])-1, int(d.Target[i]), int(d.Sender[i])-1
	if typ >= len(d.Types) || target >= len(d.Targets) || sender >= len(d.Senders) || d.Targets[target] == "" {
		return fault(ErrMalformed, "type %d, target %d or sender %d of a message names nothing", typ, target, sender)
	}
	if d.decoders[typ] == nil {
		if d.decoders[typ], err = d.r.types.decoder(d.Types[typ]); err != nil {
			return err
		}
	}
	e := actor.Envelope{Meta: d.meta(i)}
	if e.Message, err = d.decoders[typ].decode(d.Types[typ], payload); err != nil {
		return err
	}
	if sender >= 0 {
		if d.pids[sender] == nil {
			d.pids[sender] = actor.NewPID(d.address, d.Senders[sender])
		}
		e.Sender = d.pids[sender]
	}
	stop, isStop := e.Message.(*actor.Stop)
	_, isPoison := e.Message.(*actor.PoisonPill)
	switch {
	case (isStop || isPoison) && d.client && !d.r.config.ClientsMayStop:
		return fault(ErrForbidden, "clients may not stop actors of %s; Config.ClientsMayStop would let them", d.r.Address())
	case isStop:
		d.r.system.ReceiveSystem(d.Targets[target], stop)
		return nil
	}
	return d.r.system.Receive(d.Targets[target], e)
}

// meta takes the meta of message i, which must be asked for in order.
func (d *delivery) meta(i int) *actor.Meta {
	for len(d.Meta) > 0 && d.Meta[0].Message < uint32(i) {
		d.Meta = d.Meta[1:]
	}
	if len(d.Meta) == 0 || d.Meta[0].Message != uint32(i) {
		return nil
	}
	m, meta := d.Meta[0], new(actor.Meta)
	if m.Remaining > 0 {
		meta.Deadline = time.Now().Add(time.Duration(min(m.Remaining, uint64(maxRemaining))))
	}
	if len(m.Header) > 1 {
		meta.Header = make(map[string]string, len(m.Header)/2)
		for k := 0; k+1 < len(m.Header); k += 2 {
			meta.Header[m.Header[k]] = m.Header[k+1]
		}
	}
	return meta
}

// bounce tells the sender of message i why it came to nothing.
func (d *delivery) bounce(i int, err error) {
	f := packFailure(err)
	d.r.reject(strings.ToLower(strings.ReplaceAll(f.Code.String(), "_", " ")))
	if !d.control.push(&remotepb.Signal{Kind: remotepb.Signal_BOUNCE, Failure: f,
		To: at(d.Senders, d.Sender[i]-1), From: at(d.Targets, d.Target[i]), Type: at(d.Types, d.Type[i]-1)}) {
		d.r.reject("bounce dropped")
	}
}

func at(column []string, place uint32) string {
	if place < uint32(len(column)) {
		return column[place]
	}
	return ""
}

// readControl handles a frame of the control stream.
func (s *session) readControl(f *remotepb.Frame) error {
	if f.Hello != nil || f.Join != nil || f.Batch != nil {
		return s.r.violation("wrong frame", codes.InvalidArgument, "the control stream carries signals only")
	}
	var all remotepb.Signals
	err := bound(f.Signals, batchCount, 0)
	if err == nil {
		err = proto.Unmarshal(f.Signals, &all)
	}
	if err != nil {
		return s.r.violation("malformed signals", codes.InvalidArgument, "malformed signals: %v", err)
	}
	for _, signal := range all.Signals {
		w := watch{watcher: signal.From, watched: signal.To}
		switch signal.Kind {
		case remotepb.Signal_WATCH:
			s.watch(w)
		case remotepb.Signal_UNWATCH:
			s.mu.Lock()
			delete(s.watches, w)
			s.mu.Unlock()
			s.r.system.ReceiveSystem(w.watched, &actor.Unwatch{Watcher: actor.NewPID(s.address, w.watcher)})
		case remotepb.Signal_TERMINATED:
			s.terminated(signal)
		case remotepb.Signal_BOUNCE:
			s.bounced(signal)
		default:
			s.r.reject("unknown signal")
		}
	}
	return nil
}

// watch has an actor of the peer told of the end of one here.
func (s *session) watch(w watch) {
	s.mu.Lock()
	full := s.client && len(s.watches) >= maxWatches
	if !full && s.watches != nil {
		s.watches[w] = true
	}
	s.mu.Unlock()
	if full {
		s.r.reject("too many watches")
		s.signal(remotepb.Signal_TERMINATED, w.watcher, w.watched, fault(ErrForbidden, "a client may watch %d actors", maxWatches))
		return
	}
	s.r.system.ReceiveSystem(w.watched, &actor.Watch{Watcher: actor.NewPID(s.address, w.watcher)})
}

// terminated tells an actor here that one of the peer, which it watches, has
// ended.
func (s *session) terminated(signal *remotepb.Signal) {
	w := watch{watcher: signal.To, watched: signal.From}
	if s.link == nil || !s.link.unwatch(w) {
		s.r.reject("terminated without watch") // or it was taken back meanwhile
		return
	}
	s.link.lose(w, unpackFailure(signal.Failure))
}

// bounced handles what became of a message that was sent over this session.
func (s *session) bounced(signal *remotepb.Signal) {
	err := unpackFailure(signal.Failure)
	if err == nil {
		err = actor.ErrNotDelivered
	}
	s.mu.Lock()
	f := s.asks[signal.To]
	delete(s.asks, signal.To)
	s.mu.Unlock()
	switch {
	case f != nil:
		f.Fail(err)
	case s.link == nil:
		s.r.reject("bounce of nothing")
	default:
		s.link.deadLetter(signal.To, signal.From, Bounced{signal.Type}, err)
	}
}
