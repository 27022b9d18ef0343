package remote_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.cert, a.key = a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, time.Hour)
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) sign(template *x509.Certificate, valid time.Duration) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(1), pkix.Name{CommonName: "test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(valid)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// tls is what a node on host shows, valid for that long, and whom it trusts.
func (a *authority) tls(host string, valid time.Duration) *tls.Config {
	template := &x509.Certificate{DNSNames: []string{host}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	cert, key := a.sign(template, valid)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, RootCAs: a.pool}
}

// A peer that cannot prove who it is gets nowhere, and its user reads why.
func TestMutualTLS(t *testing.T) {
	for _, row := range []struct {
		name string
		tls  func(ca, other *authority) *tls.Config
		want []string // one of them is what the asker is told; none if it gets through
		at   string   // host that the peer listens on; "" for a client
	}{
		{"member", func(ca, _ *authority) *tls.Config { return ca.tls("a", time.Hour) }, nil, "a"},
		{"client", func(ca, _ *authority) *tls.Config { return ca.tls("laptop", time.Hour) }, nil, ""},
		{"no TLS", func(ca, _ *authority) *tls.Config { return nil }, []string{"error reading server preface: EOF", "connection reset"}, ""},
		{"no certificate", func(ca, _ *authority) *tls.Config {
			return &tls.Config{RootCAs: ca.pool}
		}, []string{"tls: certificate required"}, ""},
		{"certificate of another authority", func(ca, other *authority) *tls.Config {
			c := other.tls("a", time.Hour)
			c.RootCAs = ca.pool
			return c
		}, []string{"tls: unknown certificate authority"}, ""},
		{"expired certificate", func(ca, _ *authority) *tls.Config { return ca.tls("a", -time.Hour) }, []string{"tls: expired certificate"}, ""},
		{"trusts another authority", func(ca, other *authority) *tls.Config {
			c := ca.tls("a", time.Hour)
			c.RootCAs = other.pool
			return c
		}, []string{"certificate signed by unknown authority"}, ""},
		{"certificate of another node", func(ca, _ *authority) *tls.Config { return ca.tls("b", time.Hour) },
			[]string{"certificate is not for its address a:40000"}, "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				ca, other := newAuthority(t), newAuthority(t)
				b := start(t, on(n, "b", remote.WithTLS(ca.tls("b", time.Hour))))
				b.echo(t, "echo")
				config := remote.Configure("a", 0, remote.WithNetwork(n.Host("a")))
				if row.at == "" {
					config.Client = true
				}
				config.TLS = row.tls(ca, other)
				a := start(t, config)
				got, err := a.ask(t, b.at("echo"), 1, 3*time.Second)
				if row.want == nil {
					if got != 1 || err != nil {
						t.Errorf("got %v, %v, want 1", got, err)
					}
					return
				}
				told := false
				for _, text := range row.want {
					told = told || err != nil && strings.Contains(err.Error(), text)
				}
				if !told || !errors.Is(err, actor.ErrNotDelivered) {
					t.Errorf("got %v, want ErrNotDelivered saying %q", err, row.want)
				}
			})
		})
	}
}

func TestServerName(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		ca := newAuthority(t)
		shared := ca.tls("nodes.example", time.Hour)
		shared.ServerName = "nodes.example"
		a, b := start(t, on(n, "a", remote.WithTLS(shared))), start(t, on(n, "b", remote.WithTLS(shared)))
		b.echo(t, "echo")
		if got, err := a.ask(t, b.at("echo"), 1, time.Second); got != 1 || err != nil {
			t.Errorf("got %v, %v, want 1", got, err)
		}
	})
}
