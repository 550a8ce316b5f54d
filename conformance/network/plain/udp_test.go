package plain

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func udp(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(soon))
	return c
}

func TestDatagramsOfTwo(t *testing.T) {
	one, two := udp(t), udp(t)
	b := make([]byte, 100)
	for _, text := range []string{"hello", "", "again"} {
		if n, err := one.WriteTo([]byte(text), two.LocalAddr()); err != nil || n != len(text) {
			t.Fatalf("sent %d, %v", n, err)
		}
		n, from, err := two.ReadFrom(b)
		if err != nil || string(b[:n]) != text || from.String() != one.LocalAddr().String() {
			t.Fatalf("received %q from %v, %v", b[:n], from, err)
		}
	}
	to := two.LocalAddr().(*net.UDPAddr).AddrPort()
	if _, err := one.WriteToUDPAddrPort([]byte("ports"), to); err != nil {
		t.Fatal(err)
	}
	n, from, err := two.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "ports" || netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != one.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Fatalf("received %q from %v, %v", b[:n], from, err)
	}
}

func TestConnectedDatagrams(t *testing.T) {
	server := udp(t)
	client, err := net.Dial("udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(soon))
	write(t, client, "question")
	b := make([]byte, 100)
	n, _, flags, from, err := server.ReadMsgUDP(b, nil)
	if err != nil || string(b[:n]) != "question" || flags != 0 || from.String() != client.LocalAddr().String() {
		t.Fatalf("received %q from %v with flags %d, %v", b[:n], from, flags, err)
	}
	if n, _, err := server.WriteMsgUDP([]byte("answer"), nil, from); err != nil || n != 6 {
		t.Fatalf("sent %d, %v", n, err)
	}
	n, err = client.Read(b)
	if err != nil || string(b[:n]) != "answer" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
}

func TestDatagramDeadline(t *testing.T) {
	c := udp(t)
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, _, err := c.ReadFrom(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("read: %v", err)
	}
}
