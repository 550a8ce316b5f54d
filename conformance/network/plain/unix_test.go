package plain

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var folder = flag.String("folder", "", "the empty `folder` for sockets; those in it named one and two are used")

// place is a path for a socket.
func place(t *testing.T, name string) string {
	t.Helper()
	if *folder == "" {
		t.Skip("no -folder is given")
	}
	path := filepath.Join(*folder, name)
	t.Cleanup(func() { os.Remove(path) })
	return path
}

func TestUnixStreams(t *testing.T) {
	path := place(t, "one")
	client, server := pair(t, "unix", path)
	if client.RemoteAddr().String() != path || server.LocalAddr().String() != path {
		t.Errorf("%v and %v", client.RemoteAddr(), server.LocalAddr())
	}
	write(t, client, "there")
	expect(t, server, "there")
	write(t, server, "back")
	expect(t, client, "back")
}

func TestUnixListenerLeavesNothing(t *testing.T) {
	path := place(t, "one")
	ln := listen(t, "unix", path)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("after it was closed: %v", err)
	}
}

func TestUnixDatagrams(t *testing.T) {
	var ends [2]*net.UnixConn
	for i, name := range []string{"one", "two"} {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: place(t, name), Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(soon))
		ends[i] = c
	}
	if _, err := ends[0].WriteTo([]byte("hello"), ends[1].LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, from, err := ends[1].ReadFrom(b)
	if err != nil || string(b[:n]) != "hello" || from.String() != ends[0].LocalAddr().String() {
		t.Errorf("received %q from %v, %v", b[:n], from, err)
	}
}
