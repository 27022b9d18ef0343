package partition_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestLookup(t *testing.T) {
	testkit.TestLookup(t, func(testing.TB) cluster.IdentityLookup { return partition.New() })
}
