package automanaged_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
)

func TestMetaIsNotBelieved(t *testing.T) {
	for _, tt := range []struct{ name, id, meta string }{
		{"empty", "a", ``},
		{"no JSON", "a", "\x00\xff"},
		{"too long", "a", `{"v":1,"a":"h:1","t":1,"k":["` + strings.Repeat("x", memberlist.MetaMaxSize) + `"]}`},
		{"another version", "a", `{"v":2,"a":"h:1","t":1}`},
		{"no address", "a", `{"v":1,"t":1}`},
		{"address without port", "a", `{"v":1,"a":"h","t":1}`},
		{"port out of range", "a", `{"v":1,"a":"h:65536","t":1}`},
		{"port 0", "a", `{"v":1,"a":"h:0","t":1}`},
		{"address of two lines", "a", `{"v":1,"a":"h\nx:1","t":1}`},
		{"long address", "a", `{"v":1,"a":"` + strings.Repeat("h", 300) + `:1","t":1}`},
		{"unknown status", "a", `{"v":1,"a":"h:1","t":1,"s":3}`},
		{"negative status", "a", `{"v":1,"a":"h:1","t":1,"s":-1}`},
		{"kind with a slash", "a", `{"v":1,"a":"h:1","t":1,"k":["a/b"]}`},
		{"kind without a name", "a", `{"v":1,"a":"h:1","t":1,"k":[""]}`},
		{"long kind", "a", `{"v":1,"a":"h:1","t":1,"k":["` + strings.Repeat("x", 256) + `"]}`},
		{"short digest", "a", `{"v":1,"a":"h:1","t":1,"d":"AAAA"}`},
		{"kinds and a digest", "a", `{"v":1,"a":"h:1","t":1,"k":["u"],"d":"` + strings.Repeat("AAAA", 10) + `AAA="}`},
		{"no id", "", `{"v":1,"a":"h:1","t":1}`},
		{"long id", strings.Repeat("i", 257), `{"v":1,"a":"h:1","t":1}`},
		{"id of two lines", "a\nb", `{"v":1,"a":"h:1","t":1}`},
	} {
		if _, _, err := automanaged.ReadCard(tt.id, []byte(tt.meta)); err == nil {
			t.Errorf("%s: believed, want an error", tt.name)
		}
	}
}

func FuzzMeta(f *testing.F) {
	meta, err := automanaged.NewCard(cluster.Member{ID: "a", Address: "10.0.0.1:8090", Kinds: []string{"user", "cart"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("a", meta)
	f.Add("a", []byte(`{"v":1,"a":"[::1]:1","t":1,"d":"`+strings.Repeat("AAAA", 10)+`AAA="}`))
	f.Fuzz(func(t *testing.T, id string, meta []byte) {
		address, kinds, err := automanaged.ReadCard(id, meta)
		if err != nil {
			return
		}
		if address != "" {
			if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
				t.Errorf("believes address %q", address)
			}
		}
		if slices.ContainsFunc(kinds, func(k string) bool { return k == "" || strings.Contains(k, "/") }) {
			t.Errorf("believes kinds %q", kinds)
		}
	})
}
