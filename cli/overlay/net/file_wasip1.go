// Sockets that the host opened before the program began, as FileListener, FileConn and FilePacketConn take them.

package net

import (
	"os"
	"syscall"
	_ "unsafe" // for go:linkname
)

// newFileFD makes a descriptor that shares its socket with the file: WASI has no way to duplicate one, so that package internal/poll counts
// who uses it.
func newFileFD(f *os.File) (*netFD, error) {
	sysfd := f.PollFD().Sysfd
	filetype, err := fd_fdstat_get_type(sysfd)
	if err != nil {
		return nil, err
	}
	network, err := fileConnNet(filetype)
	if err != nil {
		return nil, err
	}
	// Where the host blocks, all of the program waits.
	if err := syscall.SetNonblock(sysfd, true); err != nil {
		return nil, os.NewSyscallError("setnonblock", err)
	}
	fd := &netFD{pfd: f.PollFD().Copy(), sotype: syscall.SOCK_STREAM, family: syscall.AF_INET, net: network}
	if network == "udp" {
		fd.sotype = syscall.SOCK_DGRAM
	}
	fd.pfd.IsStream = fd.sotype == syscall.SOCK_STREAM
	fd.pfd.ZeroReadIsEOF = fd.pfd.IsStream
	lsa, _ := syscall.Getsockname(sysfd)
	rsa, _ := syscall.Getpeername(sysfd)
	switch lsa.(type) {
	case *syscall.SockaddrInet6:
		fd.family = syscall.AF_INET6
	case *syscall.SockaddrUnix:
		fd.family = syscall.AF_UNIX
	}
	laddr := fd.addrFunc()(lsa)
	if laddr == nil {
		// Not even its own address is known. The types are what programs count on.
		laddr = noAddr(network)
	}
	raddr := fd.addrFunc()(rsa)
	fd.net = laddr.Network()
	if err := fd.init(); err != nil {
		fd.pfd.Close()
		return nil, err
	}
	fd.setAddr(laddr, raddr)
	return fd, nil
}

func noAddr(network string) Addr {
	if network == "udp" {
		return new(UDPAddr)
	}
	return new(TCPAddr)
}

func fileListener(f *os.File) (Listener, error) {
	filetype, err := fd_fdstat_get_type(f.PollFD().Sysfd)
	if err != nil {
		return nil, err
	}
	if _, err := fileListenNet(filetype); err != nil {
		return nil, err
	}
	fd, err := newFileFD(f)
	if err != nil {
		return nil, err
	}
	if laddr, ok := fd.laddr.(*UnixAddr); ok {
		return &UnixListener{fd: fd, path: laddr.Name, unlink: false}, nil
	}
	return &TCPListener{fd: fd}, nil
}

func fileConn(f *os.File) (Conn, error) {
	fd, err := newFileFD(f)
	if err != nil {
		return nil, err
	}
	if fd.raddr == nil && fd.family != syscall.AF_UNIX {
		fd.raddr = noAddr(fd.net)
	}
	switch fd.laddr.(type) {
	case *UnixAddr:
		return newUnixConn(fd), nil
	case *UDPAddr:
		return newUDPConn(fd), nil
	}
	return newTCPConn(fd, defaultTCPKeepAliveIdle, KeepAliveConfig{}, testPreHookSetKeepAlive, testHookSetKeepAlive), nil
}

func filePacketConn(f *os.File) (PacketConn, error) {
	filetype, err := fd_fdstat_get_type(f.PollFD().Sysfd)
	if err != nil {
		return nil, err
	}
	if filetype != syscall.FILETYPE_SOCKET_DGRAM {
		return nil, syscall.ENOPROTOOPT
	}
	fd, err := newFileFD(f)
	if err != nil {
		return nil, err
	}
	if _, ok := fd.laddr.(*UnixAddr); ok {
		return newUnixConn(fd), nil
	}
	return newUDPConn(fd), nil
}

// fileListenNet names the network of a listener, by what WASI says of its descriptor.
func fileListenNet(filetype syscall.Filetype) (string, error) {
	if filetype == syscall.FILETYPE_SOCKET_DGRAM {
		return "", syscall.EOPNOTSUPP
	}
	return fileConnNet(filetype)
}

// fileConnNet names the network of a connection.
func fileConnNet(filetype syscall.Filetype) (string, error) {
	switch filetype {
	case syscall.FILETYPE_SOCKET_STREAM:
		return "tcp", nil
	case syscall.FILETYPE_SOCKET_DGRAM:
		return "udp", nil
	}
	return "", syscall.ENOTSOCK
}

//go:linkname fd_fdstat_get_type syscall.fd_fdstat_get_type
func fd_fdstat_get_type(fd int) (uint8, error)
