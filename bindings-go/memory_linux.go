//go:build !undergo_cgo

package undergo

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// inMemory is the file of the library, which stays open: its path would else be that of another
// file, and the system's loader takes files of one path for the same.
var inMemory *os.File

// What the package syscall has no names for.
const (
	mfdCloseOnExec  = 0x1
	mfdAllowSealing = 0x2
	mfdExec         = 0x10
	fcntlAddSeals   = 1033
	sealAll         = 0x1 | 0x2 | 0x4 | 0x8
)

// memory unpacks the library to a file in memory that nobody can change any more.
func (p packed) memory() (path string, undo func(), err error) {
	// Older kernels don't know that a file is to be executable, and have all of them so.
	descriptor, failed := newMemory(mfdCloseOnExec | mfdAllowSealing | mfdExec)
	if failed == syscall.EINVAL {
		descriptor, failed = newMemory(mfdCloseOnExec | mfdAllowSealing)
	}
	if failed != 0 {
		return "", nil, os.NewSyscallError("memfd_create", failed)
	}
	path = fmt.Sprintf("/proc/self/fd/%d", descriptor)
	file := os.NewFile(descriptor, path)
	err = p.write(file)
	if err == nil {
		if _, _, failed := syscall.Syscall(syscall.SYS_FCNTL, descriptor, fcntlAddSeals, sealAll); failed != 0 {
			err = os.NewSyscallError("fcntl", failed)
		}
	}
	if err == nil {
		// Without /proc, it has no path.
		_, err = os.Stat(path)
	}
	if err != nil {
		_ = file.Close()
		return "", nil, err
	}
	inMemory = file
	return path, func() { _ = file.Close() }, nil
}

func newMemory(flags uintptr) (uintptr, syscall.Errno) {
	number := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	name := cText("undergo")
	descriptor, _, failed := syscall.Syscall(number, uintptr(unsafe.Pointer(unsafe.SliceData(name))), flags, 0)
	return descriptor, failed
}
