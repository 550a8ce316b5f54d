// The names of package syscall that have to do with sockets: numbers and types. Where the socket
// extension of WASI has a number for something, it is that number, so that what a program passes
// reaches the host as it is.

package syscall

const (
	AF_UNSPEC = iota
	AF_INET
	AF_INET6
	AF_UNIX
)

// Raw sockets and those of sequenced packets have no number in the extension; Socket refuses them.
const (
	_ = iota
	SOCK_DGRAM
	SOCK_STREAM
	SOCK_RAW
	SOCK_SEQPACKET
)

const (
	IPPROTO_IP   = 0
	IPPROTO_IPV4 = 4
	IPPROTO_TCP  = 6
	IPPROTO_UDP  = 0x11
	IPPROTO_IPV6 = 0x29
)

// SOMAXCONN is the longest queue of connections that wait for Accept. The host makes it shorter
// where its own limit is lower.
const SOMAXCONN = 4096

// Options at the level of sockets.
const (
	SOL_SOCKET = 0

	SO_REUSEADDR    = 0
	SO_TYPE         = 1
	SO_ERROR        = 2
	SO_DONTROUTE    = 3
	SO_BROADCAST    = 4
	SO_SNDBUF       = 5
	SO_RCVBUF       = 6
	SO_KEEPALIVE    = 7
	SO_OOBINLINE    = 8
	SO_LINGER       = 9
	SO_RCVLOWAT     = 10
	SO_RCVTIMEO     = 11
	SO_SNDTIMEO     = 12
	SO_ACCEPTCONN   = 13
	SO_BINDTODEVICE = 14
)

// Options at the level of TCP. The extension has a number for the first one only; the others have
// Linux's.
const (
	TCP_NODELAY   = 15
	TCP_KEEPIDLE  = 4
	TCP_KEEPINTVL = 5
	TCP_KEEPCNT   = 6
)

// IPV6_V6ONLY is an option at the level of IPv6, which the extension has no number for: it is
// Linux's.
const IPV6_V6ONLY = 26

// Flags of Recvfrom and Recvmsg, and one of those that Recvmsg gives.
const (
	MSG_PEEK    = 1
	MSG_WAITALL = 2
	MSG_TRUNC   = 1
)

const (
	SHUT_RD   = 0x1
	SHUT_WR   = 0x2
	SHUT_RDWR = SHUT_RD | SHUT_WR
)

// F_DUPFD_CLOEXEC is what internal/poll asks for to duplicate a descriptor. The number is Linux's.
const F_DUPFD_CLOEXEC = 1030

// SYS_FCNTL is a name that programs may use. There are no system calls by number.
const SYS_FCNTL = 500

// A Sockaddr is a *SockaddrInet4, a *SockaddrInet6 or a *SockaddrUnix.
type Sockaddr any

type SockaddrInet4 struct {
	Port int
	Addr [4]byte
}

// A SockaddrInet6 with a ZoneId is refused: the extension has no place for it.
type SockaddrInet6 struct {
	Port   int
	ZoneId uint32
	Addr   [16]byte
}

type SockaddrUnix struct {
	Name string
}

type Linger struct {
	Onoff  int32
	Linger int32
}

type IPMreq struct {
	Multiaddr [4]byte
	Interface [4]byte
}

type IPv6Mreq struct {
	Multiaddr [16]byte
	Interface uint32
}
