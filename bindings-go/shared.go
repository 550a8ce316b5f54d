//go:build !undergo_cgo

package undergo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ebitengine/purego"
)

// libraryVariable names the shared library to load, in place of the one that is embedded or that
// the system finds.
const libraryVariable = "UNDERGO_LIBRARY"

// open has the system load the shared library. It gives what finds its functions, and where it is
// from.
func open() (find func(name string) (uintptr, error), from string, err error) {
	handle, from, err := loaded()
	if err != nil {
		return nil, "", err
	}
	return func(name string) (uintptr, error) { return purego.Dlsym(handle, name) }, from, nil
}

func loaded() (handle uintptr, from string, err error) {
	if path := os.Getenv(libraryVariable); path != "" {
		if !filepath.IsAbs(path) {
			return 0, "", &Error{Kind: KindHostError, Message: fmt.Sprintf("%s is %q, which is no absolute path", libraryVariable, path)}
		}
		handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			return 0, "", &Error{Kind: KindHostError, Message: fmt.Sprintf("the library that %s names can't be loaded: %v", libraryVariable, err)}
		}
		return handle, path, nil
	}
	if embedded != "" {
		handle, err := packed(embedded).open()
		return handle, "what is embedded in this program", err
	}
	var reasons []error
	for _, name := range names() {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err == nil {
			return handle, name, nil
		}
		reasons = append(reasons, err)
	}
	return 0, "", &Error{Kind: KindHostError, Message: fmt.Sprintf(
		"the library of Undergo is not installed (%v): install it with 'make install', or name it in %s", errors.Join(reasons...), libraryVariable)}
}

// names are those under which the system may know the library: with the series of versions that fit
// first.
func names() []string {
	series := Version[:len(Version)-len(filepath.Ext(Version))]
	if runtime.GOOS == "darwin" {
		return []string{"libundergo." + series + ".dylib", "libundergo.dylib"}
	}
	return []string{"libundergo.so." + series, "libundergo.so"}
}
