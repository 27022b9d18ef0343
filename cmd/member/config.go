package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ledger"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// config is what flags and environment say about a member.
type config struct {
	cluster  string
	name     string
	address  string
	announce string
	provider string
	bind     string
	seeds    string
	consul   string
	token    string // the file that holds it
	prefix   string
	lookup   string
	kinds    string
	ledger   string
	logLevel slog.Level
	drain    time.Duration

	load    int    // how many users a client asks; 0: it is a member
	observe string // where that client serves what it has seen
	probe   string // whom to ask, instead of all else

	dashboard dashboardConfig
}

// What -provider and -lookup may be.
const (
	byGossip  = "automanaged"
	byConsul  = "consul"
	byHash    = "disthash"
	bySeal    = "partition"
	byLearner = "chapter4" // what somebody wrote in the workshop
	providers = byGossip + " or " + byConsul
	lookups   = byHash + ", " + bySeal + " or " + byLearner
)

const usage = `member runs one node of a cluster until it is told to stop.

SIGTERM or SIGINT drains it: it leaves the cluster, finishes what is queued and
ends with status 0. Each flag can also be set by the environment variable
MEMBER_ and its name, such as MEMBER_LOG_LEVEL; the flag wins.

With -load it is a client instead, which asks users again and again. With -probe
it is neither: it asks one that runs.

`

// parseConfig reads flags, which default to the environment. Help and faults go
// to out.
func parseConfig(args []string, env func(string) string, out io.Writer) (*config, error) {
	c := &config{drain: 10 * time.Second}
	flags := c.flags(out)
	var faults []error
	flags.VisitAll(func(f *flag.Flag) {
		name := "MEMBER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := env(name); v != "" {
			if err := flags.Set(f.Name, v); err != nil {
				faults = append(faults, fmt.Errorf("member: environment variable %s=%q: %w", name, v, err))
			}
		}
	})
	if err := flags.Parse(args); err != nil {
		return nil, errors.Join(append(faults, err)...)
	}
	if flags.NArg() > 0 {
		faults = append(faults, fmt.Errorf("member: unexpected argument %q; every setting is a flag, see -help", flags.Arg(0)))
	}
	return c, errors.Join(faults...)
}

// flags are what sets c.
func (c *config) flags(out io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("member", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&c.cluster, "cluster", "workshop", "`name` of the cluster; only members with the same name meet")
	flags.StringVar(&c.name, "name", "", "`name` of this member for people; default: its address")
	flags.StringVar(&c.address, "address", "127.0.0.1:0", "`host:port` to serve other members on; port 0 picks a free one")
	flags.StringVar(&c.announce, "advertise", "", "`host:port` at which the others reach it, if that is not -address")
	flags.StringVar(&c.provider, "provider", byGossip, "what finds the other members: "+providers)
	flags.StringVar(&c.bind, "bind", "", "`host:port` of the automanaged provider's own endpoint;"+
		" default: the first free of -seeds on this machine, else a free port")
	flags.StringVar(&c.seeds, "seeds", "", "comma-separated `host:port` list of automanaged endpoints to join through")
	flags.StringVar(&c.consul, "consul", "", "`host:port`, or http(s) URL, of the Consul agent of this machine;"+
		" default: what Consul's own CONSUL_HTTP_ADDR says, else localhost:8500")
	flags.StringVar(&c.token, "consul-token-file", "", "`file` with the token for Consul, read again for each request;"+
		" default: CONSUL_HTTP_TOKEN_FILE, else CONSUL_HTTP_TOKEN")
	flags.StringVar(&c.prefix, "consul-prefix", "", "`folder` of all clusters in Consul's key-value store; default: "+consul.DefaultPrefix)
	flags.StringVar(&c.lookup, "lookup", byHash, "what places identities on members: "+lookups+
		"; partition never has two of one, for which it needs -provider consul")
	flags.StringVar(&c.kinds, "kinds", "user", "comma-separated `kinds` to host, of: "+names(knownKinds("", nil)))
	flags.StringVar(&c.ledger, "ledger", "", "`URL` of the ledger in which users record numbers,"+
		" of a client with -observe; none by default")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "least `level` to log: debug, info, warn or error")
	flags.DurationVar(&c.drain, "drain", c.drain, "longest `time` to finish what is queued when told to stop")
	flags.IntVar(&c.load, "load", 0, "be a client, and ask as many `users` each second until told to stop")
	flags.StringVar(&c.observe, "observe", "127.0.0.1:0", "`host:port` at which a client with -load serves the ledger, at /ledger,"+
		" and what it has witnessed, at /report")
	flags.StringVar(&c.probe, "probe", "", "`host:port` of a member: status 0 if it is up; or an http URL: print what it answers; and end")
	c.dashboard.flags(flags)
	return flags
}

// clusterConfig translates c for the library, or lists every fault in it.
func (c *config) clusterConfig(ctx context.Context) (*cluster.Config, error) {
	var faults []error
	host, port, err := splitAddress(c.address)
	if err != nil {
		faults = append(faults, err)
	}
	provider, err := c.clusterProvider(ctx)
	if err != nil {
		faults = append(faults, err)
	}
	lookup, adapt, err := c.identityLookup()
	if err != nil {
		faults = append(faults, err)
	}
	kinds, err := c.hostedKinds()
	if err != nil {
		faults = append(faults, err)
	}
	if c.load < 0 {
		faults = append(faults, fmt.Errorf("member: -load %d is less than nobody; leave it out for a member", c.load))
	}
	faults = append(faults, c.dashboard.check())
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for i, k := range kinds {
		kinds[i] = adapt(k)
	}
	if c.load > 0 {
		kinds = nil // a client hosts nothing
	}
	at := remote.Configure(host, port, remote.WithAdvertised(c.announce))
	return cluster.Configure(c.cluster, provider, lookup, at, cluster.WithKinds(kinds...)), nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil {
		return "", 0, fmt.Errorf("member: -address %q: %w; write it as host:port, such as 127.0.0.1:8080", address, err)
	}
	return host, port, nil
}

func (c *config) clusterProvider(ctx context.Context) (cluster.Provider, error) {
	switch c.provider {
	case byGossip:
		return automanaged.NewWith(automanaged.Config{Bind: c.bind, Seeds: list(c.seeds)}),
			needless(byGossip, byConsul, "consul", c.consul, "consul-token-file", c.token, "consul-prefix", c.prefix)
	case byConsul:
		config := consul.Config{Address: c.consul, TokenFile: c.token, Prefix: c.prefix}
		provider := consul.New(consul.WithConfig(config))
		return provider, errors.Join(needless(byConsul, byGossip, "bind", c.bind, "seeds", c.seeds),
			provider.Check(ctx, remote.TCP{})) // asks nobody
	}
	return nil, fmt.Errorf("member: -provider %q is unknown; use %s", c.provider, providers)
}

// needless finds the flags that are set, each with its value, though only another
// provider heeds them.
func needless(provider, other string, flags ...string) error {
	var faults []error
	for pair := range slices.Chunk(flags, 2) {
		if pair[1] != "" {
			faults = append(faults, fmt.Errorf("member: -%s means nothing to -provider %s; leave it out, or use -provider %s",
				pair[0], provider, other))
		}
	}
	return errors.Join(faults...)
}

// identityLookup returns the lookup, and how it wants the kinds.
func (c *config) identityLookup() (cluster.IdentityLookup, func(cluster.Kind) cluster.Kind, error) {
	asTheyAre := func(k cluster.Kind) cluster.Kind { return k }
	switch {
	case c.lookup == byHash:
		return disthash.New(), asTheyAre, nil
	case c.lookup == bySeal && c.provider == byGossip:
		return nil, nil, fmt.Errorf("member: -lookup %s needs a store that all members agree on, and -provider %s has none;"+
			" use -provider %s, or -lookup %s", bySeal, byGossip, byConsul, byHash)
	case c.lookup == bySeal:
		return partition.New(), asTheyAre, nil
	case c.lookup == byLearner:
		return chapter4()
	}
	return nil, nil, fmt.Errorf("member: -lookup %q is unknown; use %s", c.lookup, lookups)
}

func (c *config) hostedKinds() ([]cluster.Kind, error) {
	var book *ledger.Client
	if c.ledger != "" {
		u, err := url.Parse(c.ledger)
		if err != nil || u.Scheme != "http" || u.Host == "" {
			return nil, fmt.Errorf("member: -ledger %q is no URL; write it as http://host:port/ledger", c.ledger)
		}
		book = ledger.Dial(c.ledger)
	}
	known := knownKinds(c.name, book)
	var kinds []cluster.Kind
	for _, name := range list(c.kinds) {
		kind, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("member: -kinds: %q is unknown; this program knows %s", name, names(known))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

func names(kinds map[string]cluster.Kind) string {
	return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
}

// list splits a comma-separated list; blanks around its items do not count.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
