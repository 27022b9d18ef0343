package testkit

import "github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test/memstore"

// ViewStore is a view store in memory, with faults.
type ViewStore = memstore.Store

// NewViewStore returns a store that holds nothing and has no faults.
func NewViewStore() *ViewStore { return memstore.New() }
