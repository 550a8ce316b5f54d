//go:build !undergo_cgo

package undergo

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

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
	// Nobody owns the descriptor, which stays open: the path would else be that of another file, and
	// the system's loader takes files of one path for the same.
	undo = func() { _ = syscall.Close(int(descriptor)) }
	if err := p.fill(path, descriptor); err != nil {
		undo()
		return "", nil, err
	}
	return path, undo, nil
}

// fill writes the library to the file in memory, and seals it.
func (p packed) fill(path string, descriptor uintptr) error {
	// Without /proc, it has no path.
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(p.write(file), file.Close()); err != nil {
		return err
	}
	if _, _, failed := syscall.Syscall(syscall.SYS_FCNTL, descriptor, fcntlAddSeals, sealAll); failed != 0 {
		return os.NewSyscallError("fcntl", failed)
	}
	return nil
}

func newMemory(flags uintptr) (uintptr, syscall.Errno) {
	number := map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]
	name := cText("undergo")
	descriptor, _, failed := syscall.Syscall(number, uintptr(unsafe.Pointer(unsafe.SliceData(name))), flags, 0)
	return descriptor, failed
}
