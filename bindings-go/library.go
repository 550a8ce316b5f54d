package undergo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/ebitengine/purego"
)

// libraryVariable names the shared library to load, in place of the one that the system finds.
const libraryVariable = "UNDERGO_LIBRARY"

// Version is that of the library this package is for. Another one is not loaded.
const Version = "0.1.0"

// load opens the shared library, and finds its functions.
func load() (native, error) {
	var found native
	handle, path, err := open()
	if err != nil {
		return found, err
	}
	fields := reflect.ValueOf(&found).Elem()
	for i := range fields.NumField() {
		name := "undergo_" + fields.Type().Field(i).Name
		at, err := purego.Dlsym(handle, name)
		if err != nil {
			return found, &Error{Kind: KindHostError, Message: fmt.Sprintf("%s is no library of Undergo %s: it has no %s", path, Version, name)}
		}
		*(*symbol)(fields.Field(i).Addr().UnsafePointer()) = symbol(at)
	}
	version, _ := found.version.call()
	if is := text(version); is != Version {
		return found, &Error{Kind: KindHostError, Message: fmt.Sprintf("%s is the library of Undergo %s, and this package is for %s", path, is, Version)}
	}
	return found, nil
}

func open() (uintptr, string, error) {
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
