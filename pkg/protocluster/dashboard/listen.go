package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// leastToken is how many bytes a token has at least.
const leastToken = 16

// Check says all that is wrong with serving a page of that token at an address,
// host:port, or nil. Without a token it has to be a loopback address.
func Check(address, token string) error {
	var faults []error
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		faults = append(faults, fmt.Errorf("dashboard: the address %q is not host:port, such as 127.0.0.1:8080", address))
	case token == "" && !localHost(host):
		faults = append(faults, fmt.Errorf("dashboard: %s can be reached from other machines, and without a token all there could look on;"+
			" set a token, or listen on 127.0.0.1:%s", address, port))
	}
	if token != "" && len(token) < leastToken {
		faults = append(faults, fmt.Errorf("dashboard: a token of %d bytes can be guessed; use %d or more, such as of openssl rand -hex 16",
			len(token), leastToken))
	}
	return errors.Join(faults...)
}

// Listen returns a listener for Serve, or what Check says. Port 0 picks a free
// one.
func (p *Page) Listen(ctx context.Context, address string) (net.Listener, error) {
	if err := Check(address, p.config.Token); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w; is the port in use?", err)
	}
	return l, nil
}

// Serve is Run, and serves the page at l until ctx ends, within seconds, or l
// fails. It closes l.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: p, ReadHeaderTimeout: slowest, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	failed := make(chan error, 1)
	go func() {
		failed <- server.Serve(l)
		cancel()
	}()
	err := p.Run(ctx) // the streams end with it
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), slowest)
	defer stop()
	if server.Shutdown(ending) != nil {
		err = errors.Join(err, server.Close()) // some reader does not read
	}
	if fault := <-failed; !errors.Is(fault, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("dashboard: %w", fault))
	}
	return err
}
