package main

import (
	"strings"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
)

// meeting is how the nodes of the demo find each other: in Consul, where they
// also keep each user to one place at a time, or else by themselves.
type meeting struct {
	consul *agent // nil: by themselves
}

// fenced reports whether users are kept to one place.
func (m *meeting) fenced() bool { return m.consul != nil }

// flags are those of a member that is to meet the ones that are up.
func (m *meeting) flags(up []*member) []string {
	if m.consul != nil {
		return []string{"-provider", "consul", "-consul", m.consul.url, "-lookup", "partition"}
	}
	return []string{"-bind", "127.0.0.1:0", "-seeds", strings.Join(endpoints(up), ",")}
}

// parts are what the demo itself meets them with.
func (m *meeting) parts(up []*member) (cluster.Provider, cluster.IdentityLookup) {
	if m.consul != nil {
		return consul.New(consul.WithAddress(m.consul.url)), partition.New()
	}
	return automanaged.NewWith(automanaged.Config{Bind: "127.0.0.1:0", Seeds: endpoints(up)}), disthash.New()
}

func endpoints(members []*member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.endpoint)
	}
	return all
}
