package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// ViewStoreSetup is what TestViewStore knows of a view store, made anew for each
// of its tests. Nodes are numbered from 0. A test that needs what is nil is
// skipped.
type ViewStoreSetup struct {
	// Store is what node uses.
	Store func(node int) cluster.ViewStore
	// Network is what node's connections use; nil if it has none.
	Network func(node int) remote.Network
	// Name is the cluster's, which nobody else uses; "shop" if empty.
	Name string
	// Overwrite replaces that cluster's record behind the nodes' backs, or
	// deletes it if data is nil.
	Overwrite func(data []byte)
	// Cut keeps a node from the store, in silence; Heal undoes it.
	Cut, Heal func(node int)
	// LoseAnswer has the node's next Write happen and fail.
	LoseAnswer func(node int)
	// Settle is how soon a Wait has noticed a change.
	Settle time.Duration
	// Linger is how long who has announced itself stays so at least without
	// being heard of, and Expiry how long at most.
	Linger, Expiry time.Duration
}

// viewStoreTests are in the order in which somebody who writes a view store
// wants to see them pass.
var viewStoreTests = []struct { //nolint:gochecknoglobals // a table
	name string
	run  func(s *viewStoreSuite)
}{
	{"a new store is empty", emptyStore},
	{"the first write makes the record", firstWrite},
	{"a write needs the version", compareAndSwap},
	{"an empty record is a record", emptyRecord},
	{"a record of a thousand members", largeRecord},
	{"versions never repeat", freshVersions},
	{"of those who write at once one wins", writeRace},
	{"a wait ends with a change", waitForWrite},
	{"a wait knows of changes before it", waitAfterWrite},
	{"a wait misses nothing", waitForAll},
	{"a wait sees the record replaced by hand", waitForHand},
	{"who announces itself is seen", announcing},
	{"an announcement replaces the former", announcingAgain},
	{"who announces itself stays", announcedLong},
	{"a short silence loses no announcement", announcedShortCut},
	{"who falls silent is forgotten, and comes back", announcedLongCut},
	{"an answer that is lost", lostAnswer},
	{"a call ends with its context", boundCalls},
	{"a node that was cut off goes on", cutOff},
	{"clusters of two names do not mix", storeNames},
	{"one value serves two nodes", storeSharing},
	{"a client reads", storeClient},
	{"Close takes the announcement back", closing},
}

// TestViewStore tests what every cluster.ViewStore promises, each test in a
// bubble of testing/synctest; setup is called inside.
func TestViewStore(t *testing.T, setup func(t testing.TB) ViewStoreSetup) {
	for _, test := range viewStoreTests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runViewStoreTest(t, test.run, setup(t)) })
		})
	}
}

// TestLiveViewStore is TestViewStore for a store outside of the process: in real
// time, all tests at once.
func TestLiveViewStore(t *testing.T, setup func(t testing.TB) ViewStoreSetup) {
	for _, test := range viewStoreTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			runViewStoreTest(t, test.run, setup(t))
		})
	}
}

func runViewStoreTest(t *testing.T, run func(s *viewStoreSuite), setup ViewStoreSetup) {
	t.Helper()
	s := &viewStoreSuite{T: t, ViewStoreSetup: setup}
	if s.Name == "" {
		s.Name = "shop"
	}
	defer s.close()
	run(s)
}

type viewStoreSuite struct {
	*testing.T
	ViewStoreSetup
	opened []cluster.Store
}

// storePatience bounds calls that should not take long.
const storePatience = 5 * time.Second

// storeUser is a cluster.Node that has only what a store asks for.
type storeUser struct {
	name    string
	self    cluster.Member
	client  bool
	network remote.Network
}

var _ cluster.Node = storeUser{}

func (u storeUser) ClusterName() string      { return u.name }
func (u storeUser) Self() cluster.Member     { return u.self }
func (u storeUser) Client() bool             { return u.client }
func (u storeUser) Strict() bool             { return true }
func (u storeUser) Changed() <-chan struct{} { return nil }
func (u storeUser) Report([]cluster.Member)  {}
func (u storeUser) Network() remote.Network  { return u.network }
func (u storeUser) Logger() *slog.Logger     { return slog.New(slog.DiscardHandler) }

// open has node use the store, until the test ends.
func (s *viewStoreSuite) open(node int, adapt ...func(u *storeUser)) *storeUse {
	s.Helper()
	u := storeUser{name: s.Name, network: remote.TCP{}}
	u.self = cluster.Member{ID: fmt.Sprint("member-", node), Address: NodeAddress(node), Kinds: []string{"user", "cart"}}
	if s.Network != nil {
		u.network = s.Network(node)
	}
	for _, f := range adapt {
		f(&u)
	}
	store, err := s.Store(node).OpenStore(u)
	if err != nil {
		s.Fatalf("OpenStore of node %d: %v", node, err)
	}
	s.opened = append(s.opened, store)
	return &storeUse{Store: store, s: s, node: node}
}

func (s *viewStoreSuite) close() {
	for _, store := range s.opened {
		ctx, cancel := context.WithTimeout(s.Context(), storePatience)
		if err := store.Close(ctx); err != nil {
			s.Errorf("Close = %v", err)
		}
		cancel()
	}
}

// needs skips the test if the setup lacks something.
func (s *viewStoreSuite) needs(what string, has bool) {
	s.Helper()
	if !has {
		s.Skipf("the setup has no %s", what)
	}
}
