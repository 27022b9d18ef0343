package consul

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/hashicorp/consul/api"
)

// DefaultPrefix is the folder of Consul's key-value store that holds the
// folders of the clusters.
const DefaultPrefix = "protocluster"

// Config says where Consul is and what a cluster may call its own there. The
// zero value of a field means its default, and that is mostly what one of
// Consul's own environment variables says.
type Config struct {
	// Address is where a Consul agent listens: host:port, an http or https
	// URL, or unix:///path. It should be the agent of the node's own
	// machine; with several agents behind one address people may see the
	// node several times. Default: CONSUL_HTTP_ADDR, else localhost:8500.
	Address string
	// Token is what Consul's access control knows the node by. Default:
	// CONSUL_HTTP_TOKEN.
	Token string
	// TokenFile holds the token instead, and is read again for each request.
	// Default: CONSUL_HTTP_TOKEN_FILE, unless Token is set.
	TokenFile string
	// TLS makes the connection an encrypted one. Default: if the address is
	// an https URL or CONSUL_HTTP_SSL is true, what CONSUL_CACERT,
	// CONSUL_CAPATH, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY,
	// CONSUL_TLS_SERVER_NAME and CONSUL_HTTP_SSL_VERIFY say.
	TLS *tls.Config
	// Prefix is the folder in Consul's key-value store in which each cluster
	// has a folder of its name. Default: DefaultPrefix.
	Prefix string
	// Service is the name of the service that people see the members as.
	// Default: the cluster's name.
	Service string
	// Datacenter is where the record is kept; its servers have to know the
	// agent's machine. Default: the agent's own.
	Datacenter string
	// Namespace and Partition are where Consul Enterprise keeps all that.
	// Default: CONSUL_NAMESPACE and CONSUL_PARTITION.
	Namespace, Partition string
}

// Option sets one property of a Provider.
type Option func(*Config)

// WithConfig replaces all that was configured before.
func WithConfig(config Config) Option { return func(c *Config) { *c = config } }

// WithAddress sets Config.Address.
func WithAddress(address string) Option { return func(c *Config) { c.Address = address } }

// WithToken sets Config.Token.
func WithToken(token string) Option { return func(c *Config) { c.Token = token } }

// WithTokenFile sets Config.TokenFile.
func WithTokenFile(path string) Option { return func(c *Config) { c.TokenFile = path } }

// WithTLS sets Config.TLS.
func WithTLS(t *tls.Config) Option { return func(c *Config) { c.TLS = t } }

// WithPrefix sets Config.Prefix.
func WithPrefix(prefix string) Option { return func(c *Config) { c.Prefix = prefix } }

// WithService sets Config.Service.
func WithService(name string) Option { return func(c *Config) { c.Service = name } }

// WithDatacenter sets Config.Datacenter.
func WithDatacenter(name string) Option { return func(c *Config) { c.Datacenter = name } }

// WithNamespace sets Config.Namespace.
func WithNamespace(name string) Option { return func(c *Config) { c.Namespace = name } }

func (c Config) prefix() string { return cmp.Or(c.Prefix, DefaultPrefix) }

// address is where the agent listens, as it was written.
func (c Config) address() string {
	return cmp.Or(c.Address, os.Getenv(api.HTTPAddrEnvName), "localhost:8500")
}

// credentials returns the token, or else the file that holds it.
func (c Config) credentials() (token, file string) {
	switch {
	case c.TokenFile != "":
		return "", c.TokenFile
	case c.Token != "":
		return c.Token, ""
	case os.Getenv(api.HTTPTokenFileEnvName) != "":
		return "", os.Getenv(api.HTTPTokenFileEnvName)
	}
	return os.Getenv(api.HTTPTokenEnvName), ""
}

// faults are what is wrong with c as far as can be seen without Consul.
func (c Config) faults() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("consul: "+format, args...)) }
	address := c.address()
	scheme, rest, url := strings.Cut(address, "://")
	switch {
	case !url:
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			fault("the address %q is not host:port, such as 127.0.0.1:8500", address)
		}
	case scheme != "http" && scheme != "https" && scheme != "unix":
		fault("the address %q begins with %s; write host:port, http://, https:// or unix://", address, scheme)
	case rest == "":
		fault("the address %q ends after its scheme", address)
	}
	folders := strings.FieldsFunc(c.prefix(), func(r rune) bool { return r == '/' })
	if plain := strings.Join(folders, "/"); plain != c.prefix() {
		fault("the prefix %q has a slash too many; write it as %q", c.prefix(), plain)
	}
	if _, file := c.credentials(); file != "" {
		if _, err := os.ReadFile(file); err != nil {
			fault("the token's file: %w", err)
		}
	}
	return errors.Join(faults...)
}
