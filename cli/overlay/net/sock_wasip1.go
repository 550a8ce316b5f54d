// What the code for Unix systems, which is the rest of this package, asks each of them for: how to
// make a socket, which options a new one has, and what the network is able to do.

package net

import (
	"internal/poll"
	"os"
	"syscall"
)

// sysSocket makes a socket that does not block.
func sysSocket(family, sotype, proto int) (int, error) {
	s, err := socketFunc(family, sotype, proto)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = syscall.SetNonblock(s, true); err != nil {
		poll.CloseFunc(s)
		return -1, os.NewSyscallError("setnonblock", err)
	}
	return s, nil
}

func setDefaultSockopts(s, family, sotype int, ipv6only bool) error {
	if family == syscall.AF_INET6 {
		// A host that does not know the option leaves it to its system, which on most of them means both
		// versions of IP.
		syscall.SetsockoptInt(s, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, boolint(ipv6only))
	}
	if sotype == syscall.SOCK_DGRAM && family != syscall.AF_UNIX {
		return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1))
	}
	return nil
}

func setDefaultListenerSockopts(s int) error {
	// An address can be listened on again at once.
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
}

func setDefaultMulticastSockopts(s int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
}

// probe finds out which versions of IP there are, when a program first asks. It opens sockets and
// binds none: what the host denies is no property of the network, and the program is not to be
// blamed for what it did not ask for.
func (p *ipStackCapabilities) probe() {
	p.ipv4Enabled = hasFamily(syscall.AF_INET)
	p.ipv6Enabled = hasFamily(syscall.AF_INET6)
	p.ipv4MappedIPv6Enabled = p.ipv6Enabled
}

func hasFamily(family int) bool {
	s, err := syscall.Socket(family, syscall.SOCK_STREAM, syscall.IPPROTO_TCP)
	if err != nil {
		return err != syscall.EAFNOSUPPORT && err != syscall.EPROTONOSUPPORT
	}
	syscall.Close(s)
	return true
}
