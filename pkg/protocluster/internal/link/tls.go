package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// serverTLS is what a node that listens demands: a certificate of every peer.
func serverTLS(c *tls.Config) credentials.TransportCredentials {
	if c == nil {
		return insecure.NewCredentials()
	}
	c = c.Clone()
	c.MinVersion, c.ClientAuth = max(c.MinVersion, tls.VersionTLS13), tls.RequireAndVerifyClientCert
	if c.ClientCAs == nil {
		c.ClientCAs = c.RootCAs
	}
	return patient{credentials.NewTLS(c)}
}

// patient lets a peer that is refused read why. If its connection were closed
// at once, what it has sent meanwhile would reset it, and the alert be lost.
type patient struct {
	credentials.TransportCredentials
}

func (p patient) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secure, info, err := p.TransportCredentials.ServerHandshake(unclosed{conn})
	if err == nil {
		return closing{secure, conn}, info, nil
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, conn)
	return nil, nil, errors.Join(err, conn.Close())
}

// unclosed is a connection that its user does not close, and closing one that
// closes another with itself.
type (
	unclosed struct{ net.Conn }
	closing  struct {
		net.Conn
		under net.Conn
	}
)

func (unclosed) Close() error { return nil }

func (c closing) Close() error { return errors.Join(c.Conn.Close(), c.under.Close()) }

func clientTLS(c *tls.Config) credentials.TransportCredentials {
	if c == nil {
		return insecure.NewCredentials()
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS13)
	return credentials.NewTLS(c)
}

// owns checks that the peer which announces an address on host shows the
// certificate that it would have to show when dialled there.
func owns(c *tls.Config, host string, info credentials.AuthInfo) error {
	if c == nil {
		return nil
	}
	if c.ServerName != "" {
		host = c.ServerName
	}
	shown, ok := info.(credentials.TLSInfo)
	if !ok || len(shown.State.PeerCertificates) == 0 {
		return errors.New("none was shown")
	}
	return shown.State.PeerCertificates[0].VerifyHostname(host)
}
