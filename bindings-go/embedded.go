//go:build !undergo_cgo

package undergo

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ebitengine/purego"
)

// packed is a library that is packed by gzip.
type packed string

// open has the system load it: from memory, where the system has files there, else from the user's
// folder for caches.
func (p packed) open() (handle uintptr, err error) {
	var reasons []error
	for _, unpack := range []func() (string, func(), error){p.memory, p.cached} {
		path, undo, err := unpack()
		if err == nil {
			if handle, err = purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL); err == nil {
				return handle, nil
			}
			undo()
		}
		reasons = append(reasons, err)
	}
	return 0, &Error{Kind: KindHostError, Message: fmt.Sprintf(
		"the library of Undergo that is embedded in this program can't be loaded: %v; it is for systems with glibc, and for others, such as Alpine, "+
			"one that was built there can be linked: compile the program with -tags undergo_cgo", errors.Join(reasons...))}
}

func (p packed) cached() (path string, undo func(), err error) {
	base, err := os.UserCacheDir()
	if err == nil {
		path, err = p.file(filepath.Join(base, "undergo", "lib"))
	}
	return path, func() {}, err
}

// write writes the library as it is loaded.
func (p packed) write(to io.Writer) error {
	content, err := gzip.NewReader(strings.NewReader(string(p)))
	if err != nil {
		return err
	}
	// As gzip's reader has it, a buffer is the cheapest way.
	_, err = io.CopyBuffer(struct{ io.Writer }{to}, content, make([]byte, 1<<20))
	return err
}

// size is that of the library, which gzip writes to the end.
func (p packed) size() int64 {
	return int64(binary.LittleEndian.Uint32([]byte(p[len(p)-4:])))
}

// file gives the path of the library within a folder, which is this user's alone. It is written
// there once for each content.
func (p packed) file(folder string) (string, error) {
	folder = filepath.Join(folder, fmt.Sprintf("%x", sha256.Sum256([]byte(p)))[:32])
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if _, err := own(folder, fs.ModeDir); err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.Base(names()[0]))
	found, err := own(path, 0)
	if err == nil && found.Size() == p.size() {
		return path, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	// Others may write it at the same time, and some may have loaded it: it is never changed.
	file, err := os.CreateTemp(folder, "new-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	err = errors.Join(p.write(file), file.Chmod(0o500), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return path, err
}

// own sees that a folder or a file is what it should be, and that nobody but this user can write
// it.
func own(path string, kind fs.FileMode) (fs.FileInfo, error) {
	found, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	owner, ok := found.Sys().(*syscall.Stat_t)
	if found.Mode().Type() != kind || !ok || int(owner.Uid) != os.Geteuid() || found.Mode()&0o022 != 0 {
		return nil, fmt.Errorf("the library is not put to %s, which others can write", path)
	}
	return found, nil
}
