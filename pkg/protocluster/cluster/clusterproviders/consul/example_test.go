package consul_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// A program passes New to cluster.Configure, and package cluster does the rest.
// Here is what that is.
func Example() {
	server := httptest.NewServer(consultest.NewServer()) // in place of Consul
	defer server.Close()
	provider := consul.New(consul.WithAddress(server.URL), consul.WithPrefix("examples"))

	ctx := context.Background()
	store, err := provider.OpenStore(node{name: "shop", network: remote.TCP{}, log: new(journal)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close(ctx)
	if _, err := store.Write(ctx, []byte("the first view"), 0); err != nil {
		fmt.Println(err)
		return
	}
	_, err = store.Write(ctx, []byte("another first view"), 0)
	record, _ := store.Read(ctx)
	fmt.Printf("%s, of version %d\n", record.Data, record.Version)
	_, _ = store.Write(ctx, []byte("the next view"), record.Version)
	fmt.Println("too late:", err != nil)
	// Output:
	// the first view, of version 2
	// too late: true
}

var _ cluster.ViewStore = consul.New()
