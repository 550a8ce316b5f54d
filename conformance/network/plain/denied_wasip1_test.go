package plain

import (
	"errors"
	"flag"
	"io/fs"
	"net"
	"syscall"
	"testing"
)

var denied = flag.Bool("denied", false, "expect that nothing is allowed but to connect to port 1 of this machine")

func TestDenied(t *testing.T) {
	if !*denied {
		t.Skip("much is allowed")
	}
	check := func(op string, err error) {
		t.Helper()
		var failed *net.OpError
		if !errors.As(err, &failed) || failed.Op != op {
			t.Errorf("%s: %v is no error of it", op, err)
		}
		if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: %v is not about permission", op, err)
		}
	}
	_, err := net.Dial("tcp", "127.0.0.1:9")
	check("dial", err)
	_, err = net.Dial("udp", "127.0.0.1:9")
	check("dial", err)
	_, err = net.Dial("unix", "/run/nobody")
	check("dial", err)
	_, err = net.Dial("tcp", "example.org:443")
	check("dial", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	check("listen", err)
	_, err = net.ListenPacket("udp", "127.0.0.1:0")
	check("listen", err)
	var unknown *net.DNSError
	if _, err = net.LookupHost("example.org"); !errors.As(err, &unknown) || unknown.IsNotFound || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("look up: %v", err)
	}
	// What is allowed is tried, and nobody is there.
	if _, err = net.Dial("tcp", "127.0.0.1:1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("port 1: %v", err)
	}
}
