package protocluster_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const library = "github.com/protocluster/workshop/pkg/protocluster/"

// A layer is a package, or every package below a path that ends in a slash, and
// what it may import beside the standard library.
type layer struct {
	pkg     string
	ours    []string // packages of the library, written like pkg
	modules []string // and of others
}

const (
	protobuf = "google.golang.org/protobuf/"
	grpc     = "google.golang.org/grpc/"
)

// layers is the law: a package imports only what stands above it. Of several
// that fit the last counts.
var layers = []layer{
	{pkg: "internal/mpsc"},
	{pkg: "internal/rendezvous"},
	{pkg: "internal/sealedview"},
	{pkg: "internal/sealedview/", ours: []string{"internal/sealedview/"}},
	{pkg: "internal/gen/", ours: []string{"internal/gen/"}, modules: []string{protobuf, grpc}},
	{pkg: "internal/dispatch"},
	{pkg: "internal/names"},
	{pkg: "internal/timers"},
	{pkg: "internal/grains"},
	{pkg: "internal/lifetime"},
	{pkg: "internal/holdback"},
	{pkg: "internal/background"},
	{pkg: "internal/latch"},
	{pkg: "internal/memo"},
	{pkg: "internal/turns"},
	{pkg: "internal/backoff"},
	{pkg: "internal/latest"},
	{pkg: "internal/ports"},
	{pkg: "actor", ours: []string{"internal/mpsc", "internal/dispatch", "internal/holdback", "internal/lifetime", "internal/names", "internal/timers",
		"internal/backoff"}},
	{pkg: "router", ours: []string{"actor"}},
	{pkg: "internal/wire", ours: []string{"actor", "internal/gen/"}, modules: []string{protobuf}},
	{pkg: "internal/link", ours: []string{"actor", "internal/backoff", "internal/names", "internal/wire", "internal/gen/"}, modules: []string{protobuf, grpc}},
	{pkg: "remote", ours: []string{"actor", "internal/wire", "internal/link", "internal/gen/"}, modules: []string{grpc}},
	{
		pkg:  "internal/seat",
		ours: []string{"internal/background", "internal/backoff", "internal/latest", "internal/sealedview", "internal/gen/"}, modules: []string{protobuf, grpc, "golang.org/x/sys/"},
	},
	{pkg: "internal/lru"},
	{pkg: "internal/lots", ours: []string{"internal/background"}},
	{pkg: "internal/patience", ours: []string{"internal/background"}},
	{pkg: "internal/handover", ours: []string{"internal/background", "internal/sealedview", "internal/seat"}},
	{pkg: "internal/tally", ours: []string{"actor"}},
	{pkg: "internal/attempts", ours: []string{"actor", "internal/backoff", "internal/background", "internal/timers"}},
	{pkg: "internal/gossip", ours: []string{"internal/gen/"}},
	{pkg: "internal/pidcache", ours: []string{"actor"}},
	{pkg: "internal/hops", ours: []string{"actor"}},
	{pkg: "internal/flights", ours: []string{"actor", "internal/background"}},
	{
		pkg: "cluster",
		ours: []string{"actor", "remote", "internal/background", "internal/latest", "internal/sealedview", "internal/seat", "internal/gossip",
			"internal/pidcache", "internal/flights", "internal/lru", "internal/lots", "internal/handover", "internal/hops", "internal/latch",
			"internal/memo", "internal/names", "internal/patience", "internal/tally", "internal/timers", "internal/grains", "internal/turns",
			"internal/attempts", "internal/backoff", "internal/mpsc", "internal/gen/"},
		modules: []string{protobuf},
	},
	{pkg: "cluster/pubsub", ours: []string{"actor", "remote", "cluster", "internal/gen/"}, modules: []string{protobuf}},
	{pkg: "dashboard/internal/journal", ours: []string{"actor", "cluster", "internal/tally"}},
	{
		pkg:     "dashboard",
		ours:    []string{"actor", "remote", "cluster", "dashboard/internal/", "internal/background", "internal/latest", "internal/tally", "internal/gen/"},
		modules: []string{grpc},
	},
	// remote, because a provider works over the remote.Network it is given.
	{pkg: "cluster/clusterproviders/", ours: []string{"cluster", "remote"}},
	{pkg: "cluster/clusterproviders/test", ours: []string{"cluster", "cluster/clusterproviders/test/memstore"}},
	{
		pkg: "cluster/clusterproviders/automanaged/", ours: []string{"cluster", "remote"},
		modules: []string{"github.com/hashicorp/memberlist/"},
	},
	{
		pkg: "cluster/clusterproviders/consul/", ours: []string{"cluster", "remote"},
		modules: []string{"github.com/hashicorp/consul/api/"},
	},
	{pkg: "cluster/clusterproviders/consul/consultest", ours: []string{"remote", "internal/ports"}},
	{
		pkg:  "cluster/identitylookup/",
		ours: []string{"actor", "cluster", "cluster/identitylookup/", "internal/memo", "internal/rendezvous"},
	},
	{pkg: "integration"},
	{pkg: "integration/internal/referee", modules: []string{"golang.org/x/sys/"}},
	{pkg: "integration/internal/faultnet", ours: []string{"remote"}},
	{pkg: "testkit", ours: []string{"actor", "remote", "cluster/", "internal/"}, modules: []string{protobuf, grpc}},
}

// inTests may be imported by the tests inside a package too. Tests outside it,
// of package x_test, may import what they like.
var inTests = []string{"github.com/stretchr/testify/"}

func TestLayering(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range goFiles(t, ".") {
		seen[path.Dir(file)] = true
		for _, fault := range importFaults(t, file, nil) {
			t.Error(fault)
		}
	}
	for _, l := range layers {
		if !strings.HasSuffix(l.pkg, "/") && !seen[l.pkg] {
			t.Logf("%s is not written yet", l.pkg)
		}
	}
}

// The law is worth what it finds.
func TestLayering_FindsFaults(t *testing.T) {
	rows := []struct{ name, file, source, want string }{
		{"a lower layer", "remote/x.go", `package remote; import _ "` + library + `actor"`, ""},
		{"a generated package", "cluster/x.go", `package cluster; import _ "` + library + `internal/gen/clusterpb"`, ""},
		{"the standard library", "actor/x.go", `package actor; import _ "log/slog"`, ""},
		{"an allowed module", "internal/link/x.go", `package link; import _ "google.golang.org/grpc"`, ""},
		{"an outside test", "actor/x_test.go", `package actor_test; import _ "` + library + `testkit"`, ""},
		{"testify in an inside test", "actor/x_test.go", `package actor; import _ "github.com/stretchr/testify/require"`, ""},
		{"a higher layer", "actor/x.go", `package actor; import _ "` + library + `remote"`, "actor/x.go imports remote"},
		{"a module", "actor/x.go", `package actor; import _ "google.golang.org/grpc"`, "actor/x.go imports google.golang.org/grpc"},
		{"a module of a like name", "internal/link/x.go", `package link; import _ "google.golang.org/grpcx"`, "internal/link/x.go imports google.golang.org/grpcx"},
		{"a higher layer in an inside test", "actor/x_test.go", `package actor; import _ "` + library + `testkit"`, "actor/x_test.go imports testkit"},
		{"a folder outside the library", "testkit/x.go", `package testkit; import _ "github.com/protocluster/workshop/cmd/x"`, "testkit/x.go imports github.com/protocluster/workshop/cmd/x"},
		{"a package without a layer", "util/x.go", `package util`, "util/x.go: package util has no layer"},
		{"testify outside tests", "cluster/x.go", `package cluster; import _ "github.com/stretchr/testify/require"`, "cluster/x.go imports github.com/stretchr/testify/require"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := strings.Join(importFaults(t, row.file, row.source), "\n")
			if (got == "") != (row.want == "") || !strings.HasPrefix(got, row.want) {
				t.Errorf("faults of %s = %q, want %q", row.source, got, row.want)
			}
		})
	}
}

// importFaults parses source, or else the file of that name, and returns what
// it may not import.
func importFaults(t testing.TB, file string, source any) []string {
	t.Helper()
	parsed := parse(t, file, source)
	if strings.HasSuffix(parsed.Name.Name, "_test") || path.Dir(file) == "." {
		return nil
	}
	law, ok := layerOf(path.Dir(file))
	if !ok {
		return []string{fmt.Sprintf("%s: package %s has no layer; decide what it may import and add it to layers in layering_test.go", file, path.Dir(file))}
	}
	var faults []string
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(name, library); ok && fits(law.ours, ours) || fits(law.modules, name) || standard(name) {
			continue
		}
		if strings.HasSuffix(file, "_test.go") && fits(inTests, name) {
			continue
		}
		faults = append(faults, fmt.Sprintf("%s imports %s; %s may import only the standard library and %q",
			file, strings.TrimPrefix(name, library), path.Dir(file), slices.Concat(law.ours, law.modules)))
	}
	return faults
}

func layerOf(pkg string) (layer, bool) {
	for _, l := range slices.Backward(layers) {
		if fits([]string{l.pkg}, pkg) {
			return l, true
		}
	}
	return layer{}, false
}

// fits reports whether name is one of packages, or below one that ends in a slash.
func fits(packages []string, name string) bool {
	return slices.ContainsFunc(packages, func(p string) bool {
		return p == name || strings.HasSuffix(p, "/") && strings.HasPrefix(name+"/", p)
	})
}

func standard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// goFiles returns the paths of the Go files below root, with slashes.
func goFiles(t testing.TB, root string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case path.Ext(name) == ".go":
			files = append(files, path.Join(root, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parse(t testing.TB, file string, source any) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
