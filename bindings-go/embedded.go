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

// packed is a library in parts, which gzip has packed one by one, so that they are unpacked at
// once: as a whole it would take a tenth of a second. In front of each is its length, in four
// bytes, the lowest first.
type packed string

// part is a piece of a library, and where it lies there.
type part struct {
	content string
	at      int64
}

// parts gives those of the library, and its size.
func (p packed) parts() (found []part, size int64, err error) {
	for rest := string(p); rest != ""; {
		length := number(rest)
		// gzip has 18 bytes around what it packs, and its size at the end.
		if length < 18 || int64(len(rest)) < 4+length {
			return nil, 0, errors.New("the library is damaged")
		}
		found = append(found, part{rest[4 : 4+length], size})
		size += number(rest[length:])
		rest = rest[4+length:]
	}
	return found, size, nil
}

// number is that of the first four bytes.
func number(text string) int64 {
	if len(text) < 4 {
		return 0
	}
	return int64(binary.LittleEndian.Uint32([]byte(text[:4])))
}

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
func (p packed) write(to io.WriterAt) error {
	parts, _, err := p.parts()
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, part := range parts {
		go func() { failed <- part.write(to) }()
	}
	for range parts {
		err = errors.Join(err, <-failed)
	}
	return err
}

func (p part) write(to io.WriterAt) error {
	content, err := gzip.NewReader(strings.NewReader(p.content))
	if err == nil {
		_, err = io.CopyBuffer(io.NewOffsetWriter(to, p.at), content, make([]byte, 1<<18))
	}
	return err
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
	_, size, err := p.parts()
	if err != nil {
		return "", err
	}
	found, err := own(path, 0)
	if err == nil && found.Size() == size {
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
