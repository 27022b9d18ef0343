package memstore

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// ttl is how long the store believes in a node that it does not hear of;
// it takes up to twice as long to forget it, as Consul does.
const ttl = 15 * time.Second

// Store is a linearizable store in memory that keeps the records of any
// number of clusters, by name, and whose nodes can be given faults. For gives
// each node its cluster.ViewStore. It starts no goroutine; make it inside the
// bubble that uses it. All methods may be called concurrently and take effect
// before they return.
type Store struct {
	mu      sync.Mutex
	count   uint64 // of all changes, which number versions and revisions
	folders map[string]*folder
	nodes   []*node           // which are open, in the order in which they opened
	faults  map[string]*fault // by node; "" is all of them
	changed chan struct{}     // closed at the next change of anything
}

// folder is what the store keeps of one cluster.
type folder struct {
	data     []byte
	version  uint64
	revision uint64
	notices  map[string]*notice       // by id
	shown    map[*node]cluster.Member // what people see
}

// notice is an announcement.
type notice struct {
	by   *node
	data []byte
}

// New returns a store that holds nothing and has no faults.
func New() *Store {
	return &Store{folders: map[string]*folder{}, faults: map[string]*fault{}, changed: make(chan struct{})}
}

// For is the store as the node of that name reaches it; the name is what faults
// are given to, and may be any.
func (s *Store) For(node string) cluster.ViewStore { return provider{s, node} }

// Record is what the store now holds for the cluster.
func (s *Store) Record(name string) cluster.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.folder(name).record()
}

// Overwrite replaces the cluster's record as somebody does by hand, or deletes
// it if data is nil.
func (s *Store) Overwrite(name string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(s.folder(name), data)
}

// Restore puts an earlier Record back, with its version and revision, as a
// restored backup does. Later versions are still new. Announcements are lost,
// and are there again once the nodes notice, after seconds.
func (s *Store) Restore(name string, r cluster.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.folder(name)
	clear(f.notices)
	f.data, f.version, f.revision = slices.Clone(r.Data), r.Version, r.Revision
	s.forgotten()
}

// Reset makes the store a new one that holds nothing and counts from the
// beginning, so that versions repeat. Announcements come back as after Restore.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count = 0
	clear(s.folders)
	s.forgotten()
}

// forgotten lets the nodes notice that announcements are lost.
func (s *Store) forgotten() {
	s.notify()
	time.AfterFunc(ttl/3, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle()
	})
}

// Shown are the members that people see, sorted by ID.
func (s *Store) Shown(name string) []cluster.Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	var members []cluster.Member
	for _, m := range s.folder(name).shown {
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b cluster.Member) int { return cmp.Compare(a.ID, b.ID) })
	return members
}

func (s *Store) folder(name string) *folder {
	f := s.folders[name]
	if f == nil {
		f = &folder{revision: s.count, notices: map[string]*notice{}, shown: map[*node]cluster.Member{}}
		s.folders[name] = f
	}
	return f
}

// put replaces a record.
func (s *Store) put(f *folder, data []byte) {
	s.touch(f)
	f.data, f.version = nil, 0
	if data != nil {
		f.data, f.version = append([]byte{}, data...), s.count
	}
}

// touch counts a change of f that is made under the same lock.
func (s *Store) touch(f *folder) {
	s.count++
	f.revision = s.count
	s.notify()
}

func (s *Store) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (f *folder) record() cluster.Record {
	r := cluster.Record{Data: slices.Clone(f.data), Version: f.version, Revision: f.revision}
	for _, n := range f.notices {
		r.Joiners = append(r.Joiners, slices.Clone(n.data))
	}
	return r
}
