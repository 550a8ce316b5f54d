// Names are looked up by the host: it knows which of them the program may reach, and its /etc/hosts
// and name servers count. This file stands where that for the system's C library is on Unix, with
// its functions; GODEBUG=netdns=go or the build tag netgo select Go's own resolver as they do
// there.

package net

import (
	"context"
	"os"
	"syscall"
	"unsafe"
)

const cgoAvailable = true

// An addrInfo is a part of the question, or an answer, which the program makes room for. Its first
// part points to its others, and to the next one.
type addrInfo struct {
	flags        uint16
	family       uint8
	sotype       uint8
	protocol     uint32
	addrLen      uint32
	addr         uint32
	canonname    uint32
	canonnameLen uint32
	next         uint32
}

// An addrInfoAddr says where the bytes of an address are: two of the port, then those of the
// address itself.
type addrInfoAddr struct {
	family  uint32
	dataLen uint32
	data    uint32
	_       uint32
}

// A host with more addresses than that keeps the others for itself.
const maxAddrInfo = 32

// The longest name that DNS has room for, with a zero behind it.
const maxLookupName = 256

// What the host reads and writes in a look-up. It lies still, and is used by one at a time: there
// is one thread, which waits for the host.
var lookup struct {
	name    [maxLookupName]byte
	none    [1]byte
	hints   addrInfo
	first   uint32
	n       uint32
	results [maxAddrInfo]struct {
		info addrInfo
		addr addrInfoAddr
		data [26]byte
	}
}

//go:wasmimport wasi_snapshot_preview1 sock_getaddrinfo
//go:noescape
func sock_getaddrinfo(node unsafe.Pointer, nodeLen uint32, service unsafe.Pointer, serviceLen uint32, hints, res unsafe.Pointer, max uint32, n unsafe.Pointer) syscall.Errno

// hostLookup asks the host for the addresses of a name. The whole program waits for the answer.
func hostLookup(family uint8, name string) ([]IPAddr, error) {
	if len(name) >= maxLookupName {
		return nil, newDNSError(errNoSuchHost, name, "")
	}
	clear(lookup.name[copy(lookup.name[:], name):])
	lookup.hints = addrInfo{family: family, sotype: syscall.SOCK_STREAM, protocol: 1}
	var next uint32
	for i := maxAddrInfo - 1; i >= 0; i-- {
		r := &lookup.results[i]
		clear(r.data[:])
		r.addr = addrInfoAddr{dataLen: uint32(len(r.data)), data: uint32(uintptr(unsafe.Pointer(&r.data)))}
		r.info = addrInfo{addrLen: uint32(unsafe.Sizeof(r.addr)), addr: uint32(uintptr(unsafe.Pointer(&r.addr))), next: next}
		next = uint32(uintptr(unsafe.Pointer(&r.info)))
	}
	lookup.first = next
	lookup.n = 0
	// Both texts are passed with the zero that ends them, for which there are hosts that look.
	errno := sock_getaddrinfo(unsafe.Pointer(&lookup.name), uint32(len(name)+1), unsafe.Pointer(&lookup.none), 1,
		unsafe.Pointer(&lookup.hints), unsafe.Pointer(&lookup.first), maxAddrInfo, unsafe.Pointer(&lookup.n))
	if errno != 0 {
		return nil, lookupError(errno, name)
	}
	var addrs []IPAddr
	for i := range min(lookup.n, maxAddrInfo) {
		r := &lookup.results[i]
		switch r.addr.family {
		case syscall.AF_INET:
			addrs = append(addrs, IPAddr{IP: copyIP(r.data[2:6])})
		case syscall.AF_INET6:
			addrs = append(addrs, IPAddr{IP: copyIP(r.data[2:18])})
		}
	}
	if len(addrs) == 0 {
		return nil, newDNSError(errNoSuchHost, name, "")
	}
	return addrs, nil
}

// Errors of look-ups that the extension numbers behind those of WASI.
const (
	lookupTryAgain = 78
	lookupNoData   = 83
	lookupNoName   = 84
)

func lookupError(errno syscall.Errno, name string) error {
	switch errno {
	case syscall.ENOENT, lookupNoData, lookupNoName:
		return newDNSError(errNoSuchHost, name, "")
	case lookupTryAgain, syscall.EAGAIN:
		return newDNSError(errServerTemporarilyMisbehaving, name, "")
	}
	// That the name is denied can be asked for with errors.Is, as with every other denied operation.
	err := os.NewSyscallError("getaddrinfo", errno)
	return &DNSError{UnwrapErr: err, Err: err.Error(), Name: name, IsTimeout: errno.Timeout(), IsTemporary: errno.Temporary()}
}

func cgoLookupIP(ctx context.Context, network, name string) ([]IPAddr, error) {
	if err := ctx.Err(); err != nil {
		return nil, newDNSError(mapErr(err), name, "")
	}
	family := uint8(syscall.AF_UNSPEC)
	switch ipVersion(network) {
	case '4':
		family = syscall.AF_INET
	case '6':
		family = syscall.AF_INET6
	}
	return hostLookup(family, name)
}

func cgoLookupHost(ctx context.Context, name string) ([]string, error) {
	addrs, err := cgoLookupIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	hosts := make([]string, len(addrs))
	for i, addr := range addrs {
		hosts[i] = addr.String()
	}
	return hosts, nil
}

// Ports have names in this package, and in the file /etc/services where the program sees it.
func cgoLookupPort(ctx context.Context, network, service string) (int, error) {
	return goLookupPort(network, service)
}

// The extension has no question for the name of an address: what is in /etc/hosts is found, and
// what a name server says whom the program may ask.
func cgoLookupPTR(ctx context.Context, addr string) ([]string, error) {
	return DefaultResolver.goLookupPTR(ctx, addr, hostLookupFilesDNS, getSystemDNSConfig())
}
