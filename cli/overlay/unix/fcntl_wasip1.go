// What fcntl does on Unix, as far as WASI can.

package unix

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

func Fcntl(fd int, cmd int, arg int) (int, error) {
	switch cmd {
	case syscall.F_GETFL:
		flags, err := fd_fdstat_get_flags(fd)
		return int(flags), err
	case syscall.F_DUPFD_CLOEXEC:
		return share(fd)
	}
	return 0, syscall.ENOSYS
}

//go:linkname share syscall.share
func share(fd int) (int, error)
