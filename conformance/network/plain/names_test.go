package plain

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	hosts, err := net.LookupHost("localhost")
	if err != nil || !slices.Contains(hosts, "127.0.0.1") {
		t.Errorf("localhost is %v, %v", hosts, err)
	}
	ips, err := net.DefaultResolver.LookupIP(context.Background(), "ip4", "localhost")
	if err != nil || len(ips) != 1 || !ips[0].Equal(net.IPv4(127, 0, 0, 1)) {
		t.Errorf("localhost is %v, %v", ips, err)
	}
	if hosts, err = net.LookupHost("192.0.2.7"); err != nil || len(hosts) != 1 || hosts[0] != "192.0.2.7" {
		t.Errorf("192.0.2.7 is %v, %v", hosts, err)
	}
	// No name ends in invalid (RFC 6761).
	_, err = net.LookupHost("nobody.invalid")
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.Name != "nobody.invalid" {
		t.Errorf("nobody.invalid: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, "localhost.invalid"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPorts(t *testing.T) {
	for name, want := range map[string]int{"https": 443, "domain": 53, "8080": 8080} {
		if port, err := net.LookupPort("tcp", name); err != nil || port != want {
			t.Errorf("%s is %d, %v", name, port, err)
		}
	}
	if _, err := net.LookupPort("tcp", "no such service"); err == nil {
		t.Error("a service that there is not has a port")
	}
}
