package undergo

import (
	"fmt"
	"reflect"
)

// Version is that of the library this package is for. Another one is not loaded.
const Version = "0.1.0"

// load finds the functions of the library.
func load() (native, error) {
	var found native
	find, from, err := open()
	if err != nil {
		return found, err
	}
	fields := reflect.ValueOf(&found).Elem()
	for i := range fields.NumField() {
		name := "undergo_" + fields.Type().Field(i).Name
		at, err := find(name)
		if err != nil {
			return found, &Error{Kind: KindHostError, Message: fmt.Sprintf("%s is no library of Undergo %s: it has no %s", from, Version, name)}
		}
		*(*symbol)(fields.Field(i).Addr().UnsafePointer()) = symbol(at)
	}
	version, _ := found.version.call()
	if is := text(version); is != Version {
		return found, &Error{Kind: KindHostError, Message: fmt.Sprintf("%s is the library of Undergo %s, and this package is for %s", from, is, Version)}
	}
	return found, nil
}
