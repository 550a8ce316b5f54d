// Descriptors that several own, as those of a connection and of the file that its method File
// gives: WASI has no way to duplicate one.

package syscall

import _ "unsafe" // for go:linkname

// shared counts for a descriptor those who own it beside the first.
var shared map[int]int

// share gives a descriptor another owner, which closes it as the others do. internal/syscall/unix
// has it for what dup does elsewhere.
//
//go:linkname share
func share(fd int) (int, error) {
	if _, err := fd_fdstat_get_type(fd); err != nil {
		return -1, err
	}
	if shared == nil {
		shared = make(map[int]int)
	}
	shared[fd]++
	return fd, nil
}

// Close closes a descriptor when the last of its owners does.
func Close(fd int) error {
	if others := shared[fd]; others > 1 {
		shared[fd] = others - 1
		return nil
	} else if others == 1 {
		delete(shared, fd)
		return nil
	}
	return closeDescriptor(fd)
}
