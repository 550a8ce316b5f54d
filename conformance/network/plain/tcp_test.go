package plain

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBothEndsAgree(t *testing.T) {
	client, server := pair(t, "tcp", "127.0.0.1:0")
	if client.LocalAddr().String() != server.RemoteAddr().String() || client.RemoteAddr().String() != server.LocalAddr().String() {
		t.Errorf("%v to %v, and %v to %v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
	}
	write(t, client, "there")
	expect(t, server, "there")
	write(t, server, "back")
	expect(t, client, "back")
}

func TestHalfClose(t *testing.T) {
	client, server := pair(t, "tcp", "127.0.0.1:0")
	write(t, client, "all of it")
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(server); err != nil || string(b) != "all of it" {
		t.Fatalf("read %q, %v", b, err)
	}
	write(t, server, "an answer")
	server.Close()
	if b, err := io.ReadAll(client); err != nil || string(b) != "an answer" {
		t.Fatalf("read %q, %v", b, err)
	}
}

func TestMuchData(t *testing.T) {
	client, server := pair(t, "tcp", "127.0.0.1:0")
	const size = 8 << 20
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(client, io.LimitReader(strings.NewReader(strings.Repeat("0123456789abcdef", size/16)), size))
		client.Close()
		sent <- err
	}()
	n, err := io.Copy(io.Discard, server)
	if err != nil || n != size {
		t.Errorf("received %d bytes, %v", n, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestDeadlines(t *testing.T) {
	client, server := pair(t, "tcp", "127.0.0.1:0")
	if err := client.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := client.Read(make([]byte, 1)); !isTimeout(err) {
		t.Fatalf("read: %v", err)
	}
	if took := time.Since(began); took < 40*time.Millisecond || took > soon {
		t.Errorf("it took %v", took)
	}
	// It is over, and can be taken back.
	client.SetReadDeadline(time.Time{})
	write(t, server, "x")
	expect(t, client, "x")

	// Nobody reads: what the system holds for the other end is full at some time.
	client.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	var err error
	for range 1000 {
		if _, err = client.Write(make([]byte, 1<<20)); err != nil {
			break
		}
	}
	if !isTimeout(err) {
		t.Errorf("write: %v", err)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	ln := listen(t, "tcp", "127.0.0.1:0")
	accepts := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		accepts <- err
	}()
	client, _ := pair(t, "tcp", "127.0.0.1:0")
	reads := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		reads <- err
	}()
	time.Sleep(20 * time.Millisecond)
	ln.Close()
	client.Close()
	for name, ended := range map[string]chan error{"accept": accepts, "read": reads} {
		select {
		case err := <-ended:
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(soon):
			t.Errorf("%s waits on", name)
		}
	}
}

func TestRefused(t *testing.T) {
	ln := listen(t, "tcp", "127.0.0.1:0")
	address := ln.Addr().String()
	ln.Close()
	_, err := net.Dial("tcp", address)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v", err)
	}
}

func TestAddressInUse(t *testing.T) {
	ln := listen(t, "tcp", "127.0.0.1:0")
	if again, err := net.Listen("tcp", ln.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		if err == nil {
			again.Close()
		}
		t.Errorf("listen: %v", err)
	}
}

func TestDialCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var dialer net.Dialer
	if _, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:9"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	// Addresses of documentation lead nowhere; where the system knows that at once, its error is as
	// good.
	dialer.Timeout = 100 * time.Millisecond
	began := time.Now()
	if c, err := dialer.Dial("tcp", "192.0.2.1:9"); err == nil {
		c.Close()
		t.Error("somebody answered for 192.0.2.1")
	}
	if took := time.Since(began); took > soon {
		t.Errorf("it took %v", took)
	}
}

func TestOptions(t *testing.T) {
	conn, _ := pair(t, "tcp", "127.0.0.1:0")
	client := conn.(*net.TCPConn)
	for name, err := range map[string]error{
		"no delay":     client.SetNoDelay(false),
		"keep alive":   client.SetKeepAlive(true),
		"its config":   client.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 3}),
		"read buffer":  client.SetReadBuffer(1 << 16),
		"write buffer": client.SetWriteBuffer(1 << 16),
		"linger":       client.SetLinger(0),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestControl(t *testing.T) {
	var said []string
	control := func(network, address string, c syscall.RawConn) error {
		said = append(said, network)
		var inner error
		err := c.Control(func(fd uintptr) {
			inner = syscall.SetNonblock(int(fd), true)
		})
		return errors.Join(err, inner)
	}
	config := net.ListenConfig{Control: control}
	ln, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialer := net.Dialer{Control: control}
	c, err := dialer.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if strings.Join(said, " ") != "tcp4 tcp4" {
		t.Errorf("called for %q", said)
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Write(func(uintptr) bool { return true }); err != nil {
		t.Error(err)
	}
}

func TestAnyAddress(t *testing.T) {
	ln := listen(t, "tcp", ":0")
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			if host == "::1" && !hasIPv6() {
				t.Log("this machine has no IPv6")
				continue
			}
			t.Errorf("%s: %v", host, err)
			continue
		}
		c.Close()
	}
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

func TestOnePortForEachVersion(t *testing.T) {
	if !hasIPv6() {
		t.Skip("this machine has no IPv6")
	}
	four := listen(t, "tcp4", "0.0.0.0:0")
	_, port, _ := net.SplitHostPort(four.Addr().String())
	listen(t, "tcp6", net.JoinHostPort("::", port))
}

// A file of a listener or a connection is another owner of its socket: either goes on when the
// other is closed.
func TestFiles(t *testing.T) {
	ln := listen(t, "tcp", "127.0.0.1:0")
	accepted := make(chan net.Conn, 1)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	time.Sleep(20 * time.Millisecond)
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	again, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	again.Close()

	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var server net.Conn
	select {
	case server = <-accepted:
	case <-time.After(soon):
		t.Fatal("who waited before does not learn of a connection")
	}
	defer server.Close()

	file, err = client.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	other, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	write(t, other, "still there")
	expect(t, server, "still there")
	other.Close()
	if n, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the last was closed: %d, %v", n, err)
	}
}
