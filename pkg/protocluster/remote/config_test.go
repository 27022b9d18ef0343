package remote_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestValidate(t *testing.T) {
	for _, row := range []struct {
		name   string
		config *remote.Config
		want   []string // what the error says; none if the config is good
	}{
		{"default", remote.Configure("127.0.0.1", 0), nil},
		{"zero client", &remote.Config{Client: true}, nil},
		{"advertised", remote.Configure("0.0.0.0", 80, remote.WithAdvertised("shop.example:80")), nil},
		{"no host", remote.Configure("", 0), []string{"no host", "WithoutListener"}},
		{"any host", remote.Configure("0.0.0.0", 0), []string{"WithAdvertised"}},
		{"port", remote.Configure("x", 65536), []string{"port 65536", "1 to 65535"}},
		{"advertised nonsense", remote.Configure("x", 1, remote.WithAdvertised("y")), []string{`"y" is not host:port`}},
		{"kind without props", remote.Configure("x", 1, remote.WithKinds(map[string]*actor.Props{"k": nil})), []string{`kind "k"`}},
		{"types", remote.Configure("x", 1, remote.WithTypes(nil)), []string{"got nil"}},
		{"TLS", remote.Configure("x", 1, remote.WithTLS(&tls.Config{})), []string{"set Certificates", "set RootCAs"}},
		{"service", remote.Configure("x", 1, remote.WithService(&parrotDesc, polly(nil))), nil},
		{"service of nothing", remote.Configure("x", 1, remote.WithService(nil, 1)), []string{"without description", "WithService"}},
		{"service of another type", remote.Configure("x", 1, remote.WithService(&parrotDesc, 1)), []string{"int does not implement remote_test.parrot"}},
		{"service twice", remote.Configure("x", 1, remote.WithService(&parrotDesc, polly(nil)), remote.WithService(&parrotDesc, polly(nil))),
			[]string{"two services of the name test.Parrot"}},
		{"everything", remote.Configure("", -1, remote.WithMaxMessageBytes(1), remote.WithQueueBytes(-1),
			func(c *remote.Config) { c.Lanes, c.Heartbeat, c.DeadAfter = 17, 2*time.Second, time.Second }),
			[]string{"no host", "port -1", "17 lanes", "at most 1 bytes", "WithQueueBytes", "dead after 1s"}},
	} {
		err := row.config.Validate()
		if row.want == nil && err != nil {
			t.Errorf("%s: got %v, want nil", row.name, err)
		}
		for _, text := range row.want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %v, want it to say %q", row.name, err, text)
			}
		}
	}
}

func TestWithCopies(t *testing.T) {
	base := remote.Configure("x", 1, remote.WithTypes(1))
	copied := base.With(remote.WithTypes(2), remote.WithService(&parrotDesc, polly(nil)), remote.WithKinds(map[string]*actor.Props{"k": nil}), remote.WithoutListener())
	if len(base.Types) != 1 || len(base.Services) != 0 || base.Kinds != nil || base.Client {
		t.Errorf("the original became %+v", base)
	}
	if len(copied.Types) != 2 || len(copied.Services) != 1 || len(copied.Kinds) != 1 || !copied.Client || copied.Network == nil {
		t.Errorf("the copy is %+v", copied)
	}
}

// One Config serves two nodes, and a Start that failed may be repeated.
func TestStartReportsEveryFault(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		config := remote.Configure("a", 4000, remote.WithNetwork(n.Host("a")))
		first, second := start(t, config), prepare(t, config)
		if err := second.Start(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v, want the address in use", err)
		}
		bad := prepare(t, config.With(func(c *remote.Config) { c.Lanes = 99 }))
		if err := bad.Start(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "99 lanes") {
			t.Errorf("got %v, want both faults", err)
		}
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := second.Start(t.Context()); err != nil {
			t.Errorf("once the port is free: %v", err)
		}
		again := remote.New(first.system, config.With(func(c *remote.Config) { c.Port = 0 }))
		if err := again.Start(t.Context()); err != nil {
			t.Errorf("another Remote for a system whose first has stopped: %v", err)
		}
		if err := again.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
