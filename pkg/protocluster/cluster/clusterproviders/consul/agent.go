package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	dialTimeout = 5 * time.Second
	idleTimeout = 90 * time.Second
)

// agent is one node's way to Consul.
type agent struct {
	*api.Client

	address   string // as errors name it
	transport *http.Transport
}

// dial makes an agent; it connects with the first request.
func dial(c Config, network remote.Network) (*agent, error) {
	a := &agent{address: c.address()}
	a.transport = &http.Transport{
		DialContext:         dialer(a.address, network),
		TLSHandshakeTimeout: dialTimeout,
		IdleConnTimeout:     idleTimeout,
		MaxIdleConnsPerHost: 4, // a wait, a renewal, a read and a write
	}
	if _, ok := network.(remote.TCP); ok {
		a.transport.Proxy = http.ProxyFromEnvironment
	}
	faults := []error{c.faults()}
	config := api.DefaultConfig()
	if c.TLS != nil {
		a.transport.TLSClientConfig, config.Scheme = c.TLS.Clone(), "https"
	} else if encrypted, err := api.SetupTLSConfig(&config.TLSConfig); err != nil {
		faults = append(faults, fmt.Errorf("consul: TLS from the environment: %w", err))
	} else {
		a.transport.TLSClientConfig = encrypted
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	config.Address = a.address
	if strings.HasPrefix(a.address, "unix://") {
		config.Address = "localhost" // else api makes a transport of its own
	}
	config.Datacenter = c.Datacenter
	config.Namespace, config.Partition = cmp.Or(c.Namespace, config.Namespace), cmp.Or(c.Partition, config.Partition)
	config.Token, config.TokenFile = c.credentials() // only so that api does not read others
	config.HttpClient = &http.Client{Transport: &identified{next: a.transport, file: config.TokenFile, token: config.Token}}
	var err error
	if a.Client, err = api.NewClient(config); err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	return a, nil
}

// dialer connects over the node's network, or to a socket of this machine.
func dialer(address string, network remote.Network) func(ctx context.Context, _, address string) (net.Conn, error) {
	socket, local := strings.CutPrefix(address, "unix://")
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if local {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
		return network.Dial(ctx, address)
	}
}

// identified is a transport whose requests carry the token of this moment.
type identified struct {
	next http.RoundTripper
	file string // holds the token, if set

	mu    sync.Mutex
	token string // guarded by mu: the last one read, if there is a file
}

// RoundTrip implements http.RoundTripper.
func (i *identified) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if token := i.now(); token != "" {
		r.Header.Set("X-Consul-Token", token)
	}
	return i.next.RoundTrip(r)
}

// now is the token; while the file is being replaced, the one that it had.
func (i *identified) now() string {
	var text []byte
	if i.file != "" {
		text, _ = os.ReadFile(i.file)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.token = cmp.Or(strings.TrimSpace(string(text)), i.token)
	return i.token
}
