package seat

import (
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

const (
	version  = 3       // of the protocol in seat.proto
	maxFrame = 1 << 20 // bytes of a frame; a view of a thousand members takes a fifth of it
	maxName  = 512     // bytes of an id and an address, and of a seal
	maxEpoch = 1 << 62 // as in a record
)

// What a frame may say of times at most, so that sums of them do not overflow.
const (
	maxAge       = 100 * 365 * 24 * time.Hour
	maxRemaining = time.Hour
)

// encode is a message as it is sent.
func encode(m sealedview.Message) (*seatpb.Frame, error) {
	switch m := m.(type) {
	case sealedview.Renew:
		return &seatpb.Frame{Content: &seatpb.Frame_Renew{Renew: &seatpb.Renew{View: stamp(m.View), Seq: m.Seq, Serves: m.Serves}}}, nil
	case sealedview.Grant:
		return &seatpb.Frame{Content: &seatpb.Frame_Grant{Grant: encodeGrant(m)}}, nil
	case sealedview.Exclude:
		return &seatpb.Frame{Content: &seatpb.Frame_Exclude{Exclude: &seatpb.Exclude{View: stamp(m.View), Target: m.Target}}}, nil
	case sealedview.Excluded:
		e := &seatpb.Excluded{View: stamp(m.View), Target: m.Target, Excluded: m.Excluded, Remaining: int64(m.Remaining)}
		return &seatpb.Frame{Content: &seatpb.Frame_Excluded{Excluded: e}}, nil
	case sealedview.Push:
		return encodePush(m.View)
	case sealedview.Barrier:
		b := &seatpb.Barrier{View: stamp(m.View), All: m.All, Of: []byte(m.Of)}
		return &seatpb.Frame{Content: &seatpb.Frame_Barrier{Barrier: b}}, nil
	case sealedview.Heard:
		return &seatpb.Frame{Content: &seatpb.Frame_Heard{Heard: &seatpb.Barrier{View: stamp(m.View), All: m.All}}}, nil
	case sealedview.Knock:
		return &seatpb.Frame{Content: &seatpb.Frame_Knock{Knock: &seatpb.Knock{}}}, nil
	case sealedview.Answer:
		return &seatpb.Frame{Content: &seatpb.Frame_Answer{Answer: &seatpb.Knock{}}}, nil
	}
	return nil, fmt.Errorf("seat: no frame for a %T", m)
}

func encodeGrant(g sealedview.Grant) *seatpb.Grant {
	return &seatpb.Grant{
		View: stamp(g.View), Seq: g.Seq, Granted: g.Granted, Sealed: g.Sealed, StoreAge: int64(g.StoreAge), Leased: g.Leased,
	}
}

func encodePush(v *sealedview.View) (*seatpb.Frame, error) {
	record, err := v.Encode()
	if err != nil {
		return nil, err
	}
	f := &seatpb.Frame{Content: &seatpb.Frame_Push{Push: &seatpb.Push{Record: record}}}
	if size := proto.Size(f); size > maxFrame {
		return nil, fmt.Errorf("seat: a view of %d members takes %d bytes; members read it from the store", len(v.Members), size)
	}
	return f, nil
}

func stamp(s sealedview.Stamp) *seatpb.Stamp { return &seatpb.Stamp{Epoch: s.Epoch, Seal: s.Seal} }

// decode is the message that a frame carries, which is not Hello. A view is read by
// parse, and only if its sender is believed; it is nil otherwise.
func decode(f *seatpb.Frame, believed bool, parse func([]byte) (*sealedview.View, error)) (sealedview.Message, error) {
	switch c := f.GetContent().(type) {
	case *seatpb.Frame_Renew:
		view, err := readStamp(c.Renew.GetView())
		return sealedview.Renew{View: view, Seq: c.Renew.GetSeq(), Serves: c.Renew.GetServes()}, err
	case *seatpb.Frame_Grant:
		return decodeGrant(c.Grant)
	case *seatpb.Frame_Exclude:
		view, err := readStamp(c.Exclude.GetView())
		return sealedview.Exclude{View: view, Target: c.Exclude.GetTarget()}, errors.Join(err, checkTarget(c.Exclude.GetTarget()))
	case *seatpb.Frame_Excluded:
		return decodeExcluded(c.Excluded)
	case *seatpb.Frame_Push:
		if !believed {
			return sealedview.Push{}, nil
		}
		v, err := parse(c.Push.GetRecord())
		return sealedview.Push{View: v}, err
	case *seatpb.Frame_Barrier:
		view, err := readStamp(c.Barrier.GetView())
		return sealedview.Barrier{View: view, All: c.Barrier.GetAll(), Of: string(c.Barrier.GetOf())}, err
	case *seatpb.Frame_Heard:
		view, err := readStamp(c.Heard.GetView())
		return sealedview.Heard{View: view, All: c.Heard.GetAll()}, err
	case *seatpb.Frame_Knock:
		return sealedview.Knock{}, nil
	case *seatpb.Frame_Answer:
		return sealedview.Answer{}, nil
	}
	return nil, errors.New("it carries nothing that is known here")
}

func decodeGrant(g *seatpb.Grant) (sealedview.Message, error) {
	view, err := readStamp(g.GetView())
	age := time.Duration(g.GetStoreAge())
	if age < -1 || age > maxAge {
		err = errors.Join(err, fmt.Errorf("evidence of %v ago", age))
	}
	return sealedview.Grant{
		View: view, Seq: g.GetSeq(), Granted: g.GetGranted(), Sealed: g.GetSealed(), StoreAge: age, Leased: g.GetLeased(),
	}, err
}

func decodeExcluded(e *seatpb.Excluded) (sealedview.Message, error) {
	view, err := readStamp(e.GetView())
	left := time.Duration(e.GetRemaining())
	if left < 0 || left > maxRemaining {
		err = errors.Join(err, fmt.Errorf("a promise for another %v", left))
	}
	err = errors.Join(err, checkTarget(e.GetTarget()))
	return sealedview.Excluded{View: view, Target: e.GetTarget(), Excluded: e.GetExcluded(), Remaining: left}, err
}

// readStamp reads the name of a view that somebody has installed.
func readStamp(s *seatpb.Stamp) (sealedview.Stamp, error) {
	switch {
	case s.GetEpoch() == 0 || s.GetEpoch() > maxEpoch:
		return sealedview.Stamp{}, fmt.Errorf("the epoch %d", s.GetEpoch())
	case s.GetSeal() == "" || len(s.GetSeal()) > maxName:
		return sealedview.Stamp{}, fmt.Errorf("a seal of %d bytes", len(s.GetSeal()))
	}
	return sealedview.Stamp{Epoch: s.GetEpoch(), Seal: s.GetSeal()}, nil
}

func checkTarget(id string) error {
	if id == "" || len(id) > maxName {
		return fmt.Errorf("a target of %d bytes", len(id))
	}
	return nil
}

// checkSender says what is wrong with what a node says of itself.
func checkSender(id, address string) error {
	host, port, err := net.SplitHostPort(address)
	switch {
	case id == "" || id == sealedview.StoreGrantor:
		return fmt.Errorf("%q is no id of a member", id)
	case len(id)+len(address) > maxName:
		return fmt.Errorf("an id and an address of %d bytes; %d are the most", len(id)+len(address), maxName)
	case err != nil || host == "" || port == "" || port == "0":
		return fmt.Errorf("the address %.100q is not host:port", address)
	}
	return nil
}
