//go:build integration

package integration_test

import (
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
)

// system is what is tested: a strict cluster on Consul, or for comparison an
// eventual one without.
func (c nodeConfig) system() (cluster.Provider, cluster.IdentityLookup) {
	if c.Consul == "" {
		return automanaged.NewWith(automanaged.Config{Bind: c.Bind, Seeds: []string{c.Seed}}), disthash.New()
	}
	return consul.New(consul.WithAddress(c.Consul)), partition.New()
}
