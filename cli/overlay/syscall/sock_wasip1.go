// The system calls of sockets, by the functions of the socket extension of WASI preview 1, in its
// second version: the one that WasmEdge began, and that github.com/stealthrocket/net imports.

package syscall

import (
	"runtime"
	"structs"
	"unsafe"
)

type sdflags = uint32

// An address as the host takes and gives it: where its bytes are. 4 or 16 of them are those of an
// IP address; 128 begin with the family, and then come an IP address or a path that a zero ends.
// Ports are passed beside it.
type sockref struct {
	_      structs.HostLayout
	buf    uintptr32
	bufLen size
}

const sockaddrLen = 128

// What the host reads and writes in a call, besides the program's own data. It lies still, as a
// stack would not, and one is enough: there is one thread, and none of the host's functions calls
// back.
var sock struct {
	ref   sockref
	addr  [sockaddrLen]byte
	port  uint32
	iov   iovec
	n     size
	flags uint32
	fd    int32
	value [4]int32
}

//go:wasmimport wasi_snapshot_preview1 sock_open
//go:noescape
func sock_open(family, sotype int32, fd *int32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_bind
//go:noescape
func sock_bind(fd int32, addr *sockref, port uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_connect
//go:noescape
func sock_connect(fd int32, addr *sockref, port uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_listen
//go:noescape
func sock_listen(fd, backlog int32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_accept
//go:noescape
func sock_accept(fd int32, flags fdflags, newfd *int32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_shutdown
//go:noescape
func sock_shutdown(fd int32, flags sdflags) Errno

//go:wasmimport wasi_snapshot_preview1 sock_getlocaladdr
//go:noescape
func sock_getlocaladdr(fd int32, addr *sockref, port *uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_getpeeraddr
//go:noescape
func sock_getpeeraddr(fd int32, addr *sockref, port *uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_recv_from
//go:noescape
func sock_recv_from(fd int32, iovs *iovec, iovsLen size, addr *sockref, flags uint32, port *uint32, n *size, oflags *uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_send_to
//go:noescape
func sock_send_to(fd int32, iovs *iovec, iovsLen size, addr *sockref, port, flags uint32, n *size) Errno

//go:wasmimport wasi_snapshot_preview1 sock_getsockopt
//go:noescape
func sock_getsockopt(fd int32, level, name uint32, value unsafe.Pointer, valueLen uint32) Errno

//go:wasmimport wasi_snapshot_preview1 sock_setsockopt
//go:noescape
func sock_setsockopt(fd int32, level, name uint32, value unsafe.Pointer, valueLen uint32) Errno

// sockref32 is where something that lies still is in memory.
func sockref32(p unsafe.Pointer) uintptr32 {
	return uintptr32(uintptr(p))
}

// lowerSockaddr lays an address where the host finds it, and gives its port.
func lowerSockaddr(sa Sockaddr) (port uint32, err error) {
	sock.ref.buf = sockref32(unsafe.Pointer(&sock.addr))
	switch sa := sa.(type) {
	case *SockaddrInet4:
		if sa == nil || sa.Port < 0 || sa.Port > 0xFFFF {
			return 0, EINVAL
		}
		sock.ref.bufLen = size(copy(sock.addr[:], sa.Addr[:]))
		return uint32(sa.Port), nil
	case *SockaddrInet6:
		if sa == nil || sa.Port < 0 || sa.Port > 0xFFFF {
			return 0, EINVAL
		}
		if sa.ZoneId != 0 {
			return 0, ENOTSUP
		}
		sock.ref.bufLen = size(copy(sock.addr[:], sa.Addr[:]))
		return uint32(sa.Port), nil
	case *SockaddrUnix:
		// The family stands before the path, and a zero behind it.
		if sa == nil || len(sa.Name) > sockaddrLen-3 {
			return 0, EINVAL
		}
		sock.addr[0], sock.addr[1] = AF_UNIX, 0
		clear(sock.addr[2+copy(sock.addr[2:], sa.Name):])
		sock.ref.bufLen = sockaddrLen
		return 0, nil
	}
	return 0, EAFNOSUPPORT
}

// expectSockaddr makes room for an address that the host is to give.
func expectSockaddr() {
	sock.addr[0], sock.addr[1] = AF_UNSPEC, 0
	sock.port = 0
	sock.ref = sockref{buf: sockref32(unsafe.Pointer(&sock.addr)), bufLen: sockaddrLen}
}

// liftSockaddr gives the address that the host gave, nil when it gave none.
func liftSockaddr() Sockaddr {
	switch uint16(sock.addr[0]) | uint16(sock.addr[1])<<8 {
	case AF_INET:
		return &SockaddrInet4{Port: int(sock.port), Addr: [4]byte(sock.addr[2:])}
	case AF_INET6:
		return &SockaddrInet6{Port: int(sock.port), Addr: [16]byte(sock.addr[2:])}
	case AF_UNIX:
		name := sock.addr[2:]
		end := 0
		for end < len(name) && name[end] != 0 {
			end++
		}
		return &SockaddrUnix{Name: string(name[:end])}
	}
	return nil
}

func Socket(family, sotype, proto int) (fd int, err error) {
	if sotype != SOCK_STREAM && sotype != SOCK_DGRAM {
		return -1, EPROTONOSUPPORT
	}
	if errno := sock_open(int32(family), int32(sotype), &sock.fd); errno != 0 {
		return -1, errno
	}
	return int(sock.fd), nil
}

func Bind(fd int, sa Sockaddr) error {
	port, err := lowerSockaddr(sa)
	if err != nil {
		return err
	}
	return errnoErr(sock_bind(int32(fd), &sock.ref, port))
}

func Connect(fd int, sa Sockaddr) error {
	port, err := lowerSockaddr(sa)
	if err != nil {
		return err
	}
	return errnoErr(sock_connect(int32(fd), &sock.ref, port))
}

func Listen(fd int, backlog int) error {
	return errnoErr(sock_listen(int32(fd), int32(backlog)))
}

// Accept takes a connection. Its address is asked for afterwards: a connection that is over by then
// counts as aborted, as if it had been so before.
func Accept(fd int) (int, Sockaddr, error) {
	if errno := sock_accept(int32(fd), 0, &sock.fd); errno != 0 {
		return -1, nil, errno
	}
	connection := int(sock.fd)
	sa, err := Getpeername(connection)
	if err != nil {
		Close(connection)
		return -1, nil, ECONNABORTED
	}
	return connection, sa, nil
}

func Shutdown(fd int, how int) error {
	return errnoErr(sock_shutdown(int32(fd), sdflags(how)))
}

func Getsockname(fd int) (Sockaddr, error) {
	expectSockaddr()
	if errno := sock_getlocaladdr(int32(fd), &sock.ref, &sock.port); errno != 0 {
		return nil, errno
	}
	return liftedSockaddr()
}

func Getpeername(fd int) (Sockaddr, error) {
	expectSockaddr()
	if errno := sock_getpeeraddr(int32(fd), &sock.ref, &sock.port); errno != 0 {
		return nil, errno
	}
	return liftedSockaddr()
}

func liftedSockaddr() (Sockaddr, error) {
	sa := liftSockaddr()
	if sa == nil {
		return nil, EAFNOSUPPORT
	}
	return sa, nil
}

// receive reads a datagram, or what there is of a stream. Who sent it is in sock afterwards.
func receive(fd int, p []byte, flags int) (int, error) {
	expectSockaddr()
	// The data may lie on the stack, which no call up to the host's moves.
	sock.iov = iovec{buf: sockref32(unsafe.Pointer(unsafe.SliceData(p))), bufLen: size(len(p))}
	errno := sock_recv_from(int32(fd), &sock.iov, 1, &sock.ref, uint32(flags), &sock.port, &sock.n, &sock.flags)
	runtime.KeepAlive(p)
	if errno != 0 {
		return 0, errno
	}
	return int(sock.n), nil
}

func Recvfrom(fd int, p []byte, flags int) (n int, from Sockaddr, err error) {
	if n, err = receive(fd, p, flags); err != nil {
		return 0, nil, err
	}
	return n, liftSockaddr(), nil
}

func recvfromInet4(fd int, p []byte, flags int, from *SockaddrInet4) (n int, err error) {
	n, _, _, err = recvmsgInet4(fd, p, nil, flags, from)
	return n, err
}

func recvfromInet6(fd int, p []byte, flags int, from *SockaddrInet6) (n int, err error) {
	n, _, _, err = recvmsgInet6(fd, p, nil, flags, from)
	return n, err
}

// Recvmsg is Recvfrom that tells of a datagram that was longer than p. There is no data beside it
// in the extension.
func Recvmsg(fd int, p, oob []byte, flags int) (n, oobn, recvflags int, from Sockaddr, err error) {
	if n, err = receive(fd, p, flags); err != nil {
		return 0, 0, 0, nil, err
	}
	return n, 0, int(sock.flags), liftSockaddr(), nil
}

func recvmsgInet4(fd int, p, oob []byte, flags int, from *SockaddrInet4) (n, oobn int, recvflags int, err error) {
	if n, err = receive(fd, p, flags); err != nil {
		return 0, 0, 0, err
	}
	from.Port = int(sock.port)
	from.Addr = [4]byte(sock.addr[2:])
	return n, 0, int(sock.flags), nil
}

func recvmsgInet6(fd int, p, oob []byte, flags int, from *SockaddrInet6) (n, oobn int, recvflags int, err error) {
	if n, err = receive(fd, p, flags); err != nil {
		return 0, 0, 0, err
	}
	from.Port = int(sock.port)
	from.ZoneId = 0
	from.Addr = [16]byte(sock.addr[2:])
	return n, 0, int(sock.flags), nil
}

func Sendto(fd int, p []byte, flags int, to Sockaddr) error {
	_, err := SendmsgN(fd, p, nil, to, flags)
	return err
}

func sendtoInet4(fd int, p []byte, flags int, to *SockaddrInet4) error {
	_, err := sendmsgNInet4(fd, p, nil, to, flags)
	return err
}

func sendtoInet6(fd int, p []byte, flags int, to *SockaddrInet6) error {
	_, err := sendmsgNInet6(fd, p, nil, to, flags)
	return err
}

// SendmsgN sends a datagram; to no address where the socket is connected. Data beside it is
// refused.
func SendmsgN(fd int, p, oob []byte, to Sockaddr, flags int) (n int, err error) {
	if len(oob) > 0 {
		return 0, ENOTSUP
	}
	if to == nil {
		return Write(fd, p)
	}
	port, err := lowerSockaddr(to)
	if err != nil {
		return 0, err
	}
	sock.iov = iovec{buf: sockref32(unsafe.Pointer(unsafe.SliceData(p))), bufLen: size(len(p))}
	errno := sock_send_to(int32(fd), &sock.iov, 1, &sock.ref, port, uint32(flags), &sock.n)
	runtime.KeepAlive(p)
	if errno != 0 {
		return 0, errno
	}
	return int(sock.n), nil
}

func sendmsgNInet4(fd int, p, oob []byte, to *SockaddrInet4, flags int) (n int, err error) {
	if to == nil {
		return SendmsgN(fd, p, oob, nil, flags)
	}
	return SendmsgN(fd, p, oob, to, flags)
}

func sendmsgNInet6(fd int, p, oob []byte, to *SockaddrInet6, flags int) (n int, err error) {
	if to == nil {
		return SendmsgN(fd, p, oob, nil, flags)
	}
	return SendmsgN(fd, p, oob, to, flags)
}

func GetsockoptInt(fd, level, opt int) (value int, err error) {
	// The length itself is passed, and not a place where it is.
	errno := sock_getsockopt(int32(fd), uint32(level), uint32(opt), unsafe.Pointer(&sock.value), 4)
	if errno != 0 {
		return 0, errno
	}
	return int(sock.value[0]), nil
}

func SetsockoptInt(fd, level, opt int, value int) error {
	return setsockopt(fd, level, opt, [4]int32{int32(value)}, 4)
}

func SetsockoptLinger(fd, level, opt int, l *Linger) error {
	return setsockopt(fd, level, opt, [4]int32{l.Onoff, l.Linger}, 8)
}

func SetsockoptInet4Addr(fd, level, opt int, value [4]byte) error {
	return setsockopt(fd, level, opt, [4]int32{int32(value[0]) | int32(value[1])<<8 | int32(value[2])<<16 | int32(value[3])<<24}, 4)
}

func setsockopt(fd, level, opt int, value [4]int32, length uint32) error {
	sock.value = value
	return errnoErr(sock_setsockopt(int32(fd), uint32(level), uint32(opt), unsafe.Pointer(&sock.value), length))
}

// What only the fake networks of other platforms have.

func StopIO(fd int) error {
	return ENOSYS
}

func SetReadDeadline(fd int, t int64) error {
	return ENOSYS
}

func SetWriteDeadline(fd int, t int64) error {
	return ENOSYS
}
