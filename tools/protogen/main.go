// Command protogen compiles the .proto files below some roots and has protoc's
// plugins write Go from them. It stands in for protoc, which is no Go module,
// and for buf, which pins revisions that a module proxy may no longer have.
//
//	protogen -module example.com/m internal/proto ...
//
// Files are imported by their path below their root. Where the Go goes is up to
// their go_package; generated files that no .proto accounts for any more are
// removed from the folder gen beside each root. With -check nothing is changed:
// the program fails if anything would be.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	var g generator
	flag.StringVar(&g.module, "module", "", "path of the Go `module` in the working directory")
	flag.BoolVar(&g.check, "check", false, "change nothing, and fail if anything would change")
	plugins := flag.String("plugins", "protoc-gen-go,protoc-gen-go-grpc",
		"comma-separated `names` of programs beside this one or on the PATH")
	flag.Parse()
	g.plugins, g.roots = strings.Split(*plugins, ","), flag.Args()
	if err := g.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// generator is what the command line asks for.
type generator struct {
	module  string
	check   bool
	plugins []string
	roots   []string

	stale []string // files that -check would not have
}

func (g *generator) run(ctx context.Context) error {
	request, err := compile(ctx, g.roots)
	if err != nil {
		return err
	}
	request.Parameter = new("module=" + g.module)
	written := map[string]bool{}
	for _, plugin := range g.plugins {
		files, err := generate(ctx, plugin, request)
		if err != nil {
			return fmt.Errorf("%s: %w", plugin, err)
		}
		for _, f := range files {
			name := filepath.FromSlash(f.GetName())
			if err := g.write(name, f.GetContent()); err != nil {
				return err
			}
			written[name] = true
		}
	}
	for _, root := range g.roots {
		if err := g.removeLeftovers(filepath.Join(filepath.Dir(root), "gen"), written); err != nil {
			return err
		}
	}
	if g.stale != nil {
		return fmt.Errorf("these files are not what the .proto files say; run make generate: %s", strings.Join(g.stale, " "))
	}
	return nil
}

// compile returns what protoc would send to a plugin that generates code for
// all files below roots.
func compile(ctx context.Context, roots []string) (*pluginpb.CodeGeneratorRequest, error) {
	names, err := protos(roots)
	if err != nil {
		return nil, err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: roots}),
		SourceInfoMode: protocompile.SourceInfoStandard, // the comments
	}
	files, err := compiler.Compile(ctx, names...)
	if err != nil {
		return nil, err
	}
	return &pluginpb.CodeGeneratorRequest{FileToGenerate: names, ProtoFile: ordered(files)}, nil
}

// protos returns the names, relative to their root, of all files below roots.
func protos(roots []string) ([]string, error) {
	var names []string
	for _, root := range roots {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(name) == ".proto" {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return names, nil
}

// ordered returns files and all that they import, imports first.
func ordered(files linker.Files) []*descriptorpb.FileDescriptorProto {
	var all []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		imports := f.Imports()
		for i := range imports.Len() {
			add(imports.Get(i).FileDescriptor)
		}
		all = append(all, protoutil.ProtoFromFileDescriptor(f))
	}
	for _, f := range files {
		add(f)
	}
	return all
}

// generate runs one plugin as protoc would.
func generate(ctx context.Context, plugin string, request *pluginpb.CodeGeneratorRequest) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	var stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, find(plugin))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(stdout.Bytes(), &response); err != nil {
		return nil, err
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response.GetFile(), nil
}

// find prefers the plugin built together with this program to any on the PATH.
func find(plugin string) string {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), plugin)
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return plugin
}

// write leaves a file alone that has that content, so that nothing is rebuilt.
func (g *generator) write(name, content string) error {
	if old, err := os.ReadFile(name); err == nil && string(old) == content {
		return nil
	}
	if g.check {
		g.stale = append(g.stale, name)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

func (g *generator) removeLeftovers(gen string, written map[string]bool) error {
	if _, err := os.Stat(gen); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever generated there
	}
	return filepath.WalkDir(gen, func(name string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil || !strings.HasSuffix(name, ".pb.go") || written[name]:
			return err
		case g.check:
			g.stale = append(g.stale, name)
			return nil
		}
		return os.Remove(name)
	})
}
