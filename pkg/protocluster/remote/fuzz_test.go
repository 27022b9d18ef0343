package remote

import (
	"log/slog"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// FuzzReceive hands on whatever can be read as a batch: each message arrives,
// was withdrawn or bounces.
func FuzzReceive(f *testing.F) {
	system := actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))
	f.Cleanup(func() { _ = system.Shutdown(f.Context()) })
	if _, err := system.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), "echo"); err != nil {
		f.Fatal(err)
	}
	r := inbound{New(system, Configure("127.0.0.1", 0, WithTypes(Instance{})))}
	f.Add([]byte("\n\x06string\x12\x04echo\x1a\x02me\"\x02\x01\x00*\x02\x00\x002\x02\x01\x00:\x02\x02\x00B\x02hi"))
	f.Add([]byte("\n\x06string\x12\x04echo\x1a\x02me\"\x01\x01*\x01\x072\x01\x01:\x01\x02B\x02hi"))
	b := wire.NewReader(r.types, "client-x")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := b.Read(raw); err != nil {
			return
		}
		count := b.Len()
		bounced := r.Receive(link.Peer{Address: "client-x", System: "x", Client: true}, b)
		if len(bounced) > count {
			t.Fatalf("%d of %d messages bounced", len(bounced), count)
		}
		for _, s := range bounced {
			if s.Failure.GetText() == "" {
				t.Fatalf("bounced without a reason: %v", s)
			}
		}
	})
}
