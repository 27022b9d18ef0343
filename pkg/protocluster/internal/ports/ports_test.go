package ports

import (
	"io"
	"net"
	"slices"
	"testing"
)

func TestReserve_NobodyGetsAPortTwice(t *testing.T) {
	one, two := Reserve(t, 3), Reserve(t, 7)
	all := slices.Concat(one, two)
	slices.Sort(all)
	if len(one) != 3 || len(two) != 7 || len(slices.Compact(all)) != 10 {
		t.Errorf("ports = %v and %v, want 3 and 7, all different", one, two)
	}
}

func TestFree(t *testing.T) {
	port := Reserve(t, 2)[0]
	if !free(t, port, 2) {
		t.Errorf("port %d is taken, after it was reserved", port)
	}
	for network, listen := range map[string]func() (io.Closer, error){
		"tcp": func() (io.Closer, error) { return net.Listen("tcp", at(port+1)) },
		"udp": func() (io.Closer, error) { return net.ListenPacket("udp", at(port+1)) },
	} {
		taken, err := listen()
		if err != nil {
			t.Fatal(err)
		}
		if free(t, port, 2) {
			t.Errorf("port %d is free, at which somebody listens for %s", port+1, network)
		}
		_ = taken.Close()
	}
}
