//go:build wasip1 && go1.24 && !undergo_component

package undergo

import "runtime"

// What the glue can't carry it refuses, by the interface undergo:go/refusal: the
// caller gets a type-mismatch with the path of the value, and the instance lives.
// The linker drops these imports from plugins whose glue can carry everything.

//go:wasmimport undergo:go/refusal value
func hostRefuseValue(path, pathLen, why, whyLen uint32)

//go:wasmimport undergo:go/refusal arguments
func hostRefuseArguments(path, pathLen, why, whyLen uint32)

//go:wasmimport undergo:go/refusal answer
func hostRefuseAnswer(function, functionLen, path, pathLen, why, whyLen uint32)

// RefuseValue says why there is no value where the host will find none, while it
// reads what is laid out for it just now: the number of no case, or JSON text of
// no bytes. path leads on from there.
func RefuseValue(path, why string) {
	hostRefuseValue(StringAddr(path), uint32(len(path)), StringAddr(why), uint32(len(why)))
	runtime.KeepAlive(path)
	runtime.KeepAlive(why)
}

func tellArguments(path, why string) {
	hostRefuseArguments(StringAddr(path), uint32(len(path)), StringAddr(why), uint32(len(why)))
	runtime.KeepAlive(path)
	runtime.KeepAlive(why)
}

func tellAnswer(function, path, why string) {
	hostRefuseAnswer(StringAddr(function), uint32(len(function)), StringAddr(path), uint32(len(path)), StringAddr(why), uint32(len(why)))
	runtime.KeepAlive(path)
	runtime.KeepAlive(why)
}

// ErrorText is the text of err. The host replaces what is not UTF-8.
func ErrorText(err error) string { return err.Error() }
