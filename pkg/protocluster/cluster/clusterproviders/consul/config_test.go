package consul_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

func TestCheck(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	rows := []struct {
		name   string
		opts   []consul.Option
		env    map[string]string
		faults []string
	}{
		{"nothing", nil, nil, nil},
		{"an address", []consul.Option{consul.WithAddress("10.0.0.1:8500")}, nil, nil},
		{"a URL", []consul.Option{consul.WithAddress("https://consul.example/path")}, nil, nil},
		{"a socket", []consul.Option{consul.WithAddress("unix:///run/consul")}, nil, nil},
		{"no port", []consul.Option{consul.WithAddress("10.0.0.1")}, nil, []string{`"10.0.0.1" is not host:port`}},
		{"an unknown scheme", []consul.Option{consul.WithAddress("ftp://x")}, nil, []string{`begins with ftp`}},
		{"only a scheme", []consul.Option{consul.WithAddress("http://")}, nil, []string{"ends after its scheme"}},
		{"an address in the environment", nil, map[string]string{"CONSUL_HTTP_ADDR": "10.0.0.1"}, []string{`"10.0.0.1" is not host:port`}},
		{"a prefix", []consul.Option{consul.WithPrefix("a/b")}, nil, nil},
		{"slashes", []consul.Option{consul.WithPrefix("/a//b/")}, nil, []string{`write it as "a/b"`}},
		{"no token file", []consul.Option{consul.WithTokenFile(missing)}, nil, []string{"the token's file: open " + missing}},
		{"no token file in the environment", nil, map[string]string{"CONSUL_HTTP_TOKEN_FILE": missing}, []string{missing}},
		{"a token instead of that file", []consul.Option{consul.WithToken("x")}, map[string]string{"CONSUL_HTTP_TOKEN_FILE": missing}, nil},
		{"no authority", nil, map[string]string{"CONSUL_CACERT": missing}, []string{"TLS from the environment", missing}},
		{"all at once", []consul.Option{consul.WithAddress("x"), consul.WithPrefix("/"), consul.WithTokenFile(missing)}, nil,
			[]string{"host:port", "slash", missing}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for k, v := range row.env {
				t.Setenv(k, v)
			}
			provider := consul.New(row.opts...)
			err := provider.Check(t.Context(), remote.TCP{})
			if (err == nil) != (row.faults == nil) {
				t.Errorf("Check = %v, want %q", err, row.faults)
			}
			for _, want := range row.faults {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("Check = %v, want %q in it", err, want)
				}
			}
			if _, opened := provider.OpenStore(node{name: "shop", network: remote.TCP{}}); (opened == nil) != (err == nil) {
				t.Errorf("OpenStore = %v, but Check = %v", opened, err)
			}
		})
	}
}

// A token that is replaced in its file is used from the next request on, and
// the former one while the file is away.
func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	inBubble(t, func(t *testing.T, b *bench) {
		reads := func(want bool) {
			t.Helper()
			if _, err := b.store.Read(b.within(time.Second)); (err == nil) != want {
				t.Errorf("Read = %v, want success: %t", err, want)
			}
		}
		b.Permit("one", "key:read")
		reads(true)
		b.Permit("one")
		reads(false)
		b.Permit("two", "key:read")
		write("two")
		reads(true)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		reads(true)
		write("three")
		reads(false)
	}, consul.WithTokenFile(path), consul.WithToken("ignored"))
}

func TestEnvironment(t *testing.T) {
	t.Setenv("CONSUL_HTTP_ADDR", "consul:8500")
	t.Setenv("CONSUL_HTTP_TOKEN", "from-env")
	t.Setenv("CONSUL_NAMESPACE", "team")
	inBubble(t, func(t *testing.T, b *bench) {
		store := open(t, b.node, consul.WithDatacenter("dc7"))
		defer store.Close(t.Context())
		b.Permit("from-env", "key:read")
		if _, err := store.Read(b.within(time.Second)); err != nil {
			t.Errorf("Read = %v", err)
		}
		if len(b.Requests("dc=dc7", "ns=team", "GET")) == 0 {
			t.Errorf("requests = %q, want some with dc7 and team", b.Requests())
		}
	})
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(consultest.NewServer())
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	address := server.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name string
		opts []consul.Option
		env  map[string]string
		want string
	}{
		{"by option", []consul.Option{consul.WithAddress(address), consul.WithTLS(&tls.Config{RootCAs: roots})}, nil, ""},
		{"by environment", nil, map[string]string{"CONSUL_HTTP_ADDR": address, "CONSUL_HTTP_SSL": "true", "CONSUL_CACERT": file}, ""},
		{"by URL", []consul.Option{consul.WithAddress("https://" + address)}, map[string]string{"CONSUL_CACERT": file}, ""},
		{"of an unknown authority", []consul.Option{consul.WithAddress("https://" + address)}, nil, "certificate signed by unknown authority"},
		{"not used", []consul.Option{consul.WithAddress(address)}, nil, "400"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for k, v := range row.env {
				t.Setenv(k, v)
			}
			store := open(t, node{name: "shop", network: remote.TCP{}, log: new(journal)}, row.opts...)
			_, err := store.Read(t.Context())
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Read = %v, want %q", err, row.want)
			}
			if err := store.Close(t.Context()); err != nil {
				t.Errorf("Close = %v", err)
			}
		})
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Skip("no Unix sockets here:", err)
	}
	server := &http.Server{Handler: consultest.NewServer()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends with Close
	}()
	defer func() {
		_ = server.Close()
		<-done
	}()
	store := open(t, node{name: "shop", network: remote.TCP{}, log: new(journal)}, consul.WithAddress("unix://"+path))
	defer store.Close(t.Context())
	if _, err := store.Write(t.Context(), []byte("one"), 0); err != nil {
		t.Errorf("Write = %v", err)
	}
}
