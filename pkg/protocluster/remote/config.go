package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
)

// Config says how a node talks to others. Zero fields mean the defaults. It
// holds nothing of a node, so one value may serve several.
type Config struct {
	// Host and Port are where the node listens; port 0 picks a free one.
	Host string
	Port int
	// Client makes a node that does not listen: it is reached over the
	// connections that it opens itself.
	Client bool
	// Advertised is the address, host:port, at which other nodes reach
	// this one; "" means where it listens.
	Advertised string
	// Network is where connections come from; nil means TCP.
	Network Network
	// TLS, if not nil, serves both directions of every connection. Both ends
	// show a certificate that RootCAs (or ClientCAs, if set) vouch for;
	// that of a node which listens is for the host of its address, or for
	// ServerName if that is set. GetCertificate and GetClientCertificate
	// may renew it.
	TLS *tls.Config
	// Cluster is a name that two nodes must have in common.
	Cluster string
	// Kinds are what other nodes may Spawn here, by name.
	Kinds map[string]*actor.Props
	// Types holds one value of each message type that is not a protobuf
	// message.
	Types []any
	// Services are other gRPC services on the node's port.
	Services []Service
	// Lanes is how many ordered streams a link has, at most 16; 0 means 4.
	Lanes int
	// MaxMessageBytes bounds one message, at least 64 KiB; 0 means 4 MiB.
	MaxMessageBytes int
	// QueueBytes bounds what waits for one node; 0 means 16 MiB.
	QueueBytes int
	// Heartbeat is how often a node is told that this one lives; 0 means 1 s.
	Heartbeat time.Duration
	// DeadAfter is how long a node may be silent or unreachable before it
	// is given up, and how long opening a connection may take; 0 means 5 s.
	DeadAfter time.Duration
	// DialFilter, if not nil, is asked before an address is dialled, unless
	// its node is connected to this one; an error refuses the message. It
	// is called concurrently and must not block.
	DialFilter func(address string) error
	// ClientsMayStop lets clients stop and poison actors of this node.
	ClientsMayStop bool
}

// Option sets a field of a Config, after which it is called.
type Option func(*Config)

// Configure returns the Config of a node that listens at host and port; port 0
// picks a free one.
func Configure(host string, port int, opts ...Option) *Config {
	return (&Config{Host: host, Port: port, Network: TCP{}}).With(opts...)
}

// With returns a copy of c with opts applied.
func (c *Config) With(opts ...Option) *Config {
	d := *c
	d.Kinds, d.Types, d.Services = maps.Clone(c.Kinds), slices.Clone(c.Types), slices.Clone(c.Services)
	for _, opt := range opts {
		opt(&d)
	}
	return &d
}

// WithoutListener makes the node a client.
func WithoutListener() Option { return func(c *Config) { c.Client = true } }

// WithAdvertised sets the address, host:port, at which others reach the node.
func WithAdvertised(address string) Option { return func(c *Config) { c.Advertised = address } }

// WithNetwork sets where connections come from.
func WithNetwork(n Network) Option { return func(c *Config) { c.Network = n } }

// WithTLS has both ends of every connection prove who they are.
func WithTLS(t *tls.Config) Option { return func(c *Config) { c.TLS = t } }

// WithClusterName sets the name that two nodes must have in common.
func WithClusterName(name string) Option { return func(c *Config) { c.Cluster = name } }

// WithKinds sets what others may spawn here.
func WithKinds(kinds map[string]*actor.Props) Option { return func(c *Config) { c.Kinds = kinds } }

// WithTypes adds the types of values: Order{} for messages that are Order
// values, &Order{} for pointers.
func WithTypes(values ...any) Option {
	return func(c *Config) { c.Types = append(c.Types, values...) }
}

// WithMaxMessageBytes bounds one message.
func WithMaxMessageBytes(n int) Option { return func(c *Config) { c.MaxMessageBytes = n } }

// WithQueueBytes bounds what waits for one node.
func WithQueueBytes(n int) Option { return func(c *Config) { c.QueueBytes = n } }

// WithDialFilter sets who decides which addresses are dialled.
func WithDialFilter(f func(address string) error) Option {
	return func(c *Config) { c.DialFilter = f }
}

// complete is c with its defaults filled in.
func (c *Config) complete() *Config {
	d := c.With()
	if d.Network == nil {
		d.Network = TCP{}
	}
	fill(&d.Lanes, 4)
	fill(&d.MaxMessageBytes, 4<<20)
	fill(&d.QueueBytes, 16<<20)
	fill(&d.Heartbeat, time.Second)
	fill(&d.DeadAfter, 5*time.Second)
	return d
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with c, each fault with its fix,
// or nil.
func (c *Config) Validate() error {
	d := c.complete()
	_, types := NewTypes(d.Types...)
	faults := []error{types}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("remote: "+format, args...))
		}
	}
	if !d.Client {
		check(d.Host != "" && !strings.HasPrefix(d.Host, link.ClientPrefix),
			`no host to listen on, or one like a client's; use "127.0.0.1" or a name of this machine, or WithoutListener`)
		check(d.TLS == nil || len(d.TLS.Certificates) > 0 || d.TLS.GetCertificate != nil,
			"TLS without a certificate to show; set Certificates in WithTLS")
		check(d.Port >= 0 && d.Port <= 65535, "port %d is not a port; use 1 to 65535, or 0 for any free one", d.Port)
		ip := net.ParseIP(d.Host)
		check(ip == nil || !ip.IsUnspecified() || d.Advertised != "",
			"host %s is no address that other nodes can dial; add WithAdvertised(\"host:port\")", d.Host)
	}
	check(d.TLS == nil || d.TLS.RootCAs != nil, "TLS without authorities to trust; set RootCAs in WithTLS")
	if d.Advertised != "" {
		host, port, err := net.SplitHostPort(d.Advertised)
		check(err == nil && host != "" && port != "" && port != "0", "advertised address %q is not host:port", d.Advertised)
	}
	for name, props := range d.Kinds {
		check(name != "" && props != nil, "kind %q needs a name and props; add them in WithKinds", name)
	}
	faults = append(faults, link.CheckServices(d.Services))
	check(d.Lanes >= 1 && d.Lanes <= link.MaxLanes, "%d lanes; use 1 to %d", d.Lanes, link.MaxLanes)
	check(d.MaxMessageBytes >= link.MinMessageBytes && d.MaxMessageBytes <= link.MaxMessageBytes,
		"messages of at most %d bytes; use %d to %d", d.MaxMessageBytes, link.MinMessageBytes, link.MaxMessageBytes)
	check(d.QueueBytes >= d.MaxMessageBytes,
		"a queue of %d bytes does not hold one message of %d; raise WithQueueBytes", d.QueueBytes, d.MaxMessageBytes)
	check(d.Heartbeat > 0 && d.DeadAfter >= 2*d.Heartbeat,
		"dead after %v with a heartbeat every %v; use at least twice the heartbeat", d.DeadAfter, d.Heartbeat)
	return errors.Join(faults...)
}
