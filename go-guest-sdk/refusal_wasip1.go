//go:build wasip1 && go1.24

package undergo

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// BadEnum refuses a value of an enum that is none of its constants; it gives the
// number of no case.
func BadEnum(typ, v string) uint32 {
	RefuseValue("", badEnum(typ, v))
	return ^uint32(0)
}

// BadFullEnum panics about such a value of an enum for which every number is that
// of a case.
func BadFullEnum(typ, v string) uint32 { panic("undergo: " + badEnum(typ, v)) }

func badEnum(typ, v string) string { return typ + "(" + v + ") is not a constant of enum " + typ }

// BadCase refuses what an interface holds that is no case of its variant; it gives
// the number of no case.
func BadCase(typ string, v any) uint32 {
	RefuseValue("", badCase(typ, v))
	return ^uint32(0)
}

// BadFullCase panics about such a value of a variant for which every number is that
// of a case.
func BadFullCase(typ string, v any) uint32 { panic("undergo: " + badCase(typ, v)) }

func badCase(typ string, v any) string {
	what := "nil"
	if v != nil {
		what = strings.Replace(reflect.TypeOf(v).String(), "main.", "", 1)
		if !Present(v) {
			what = "a nil " + what
		}
	}
	return what + " is no case of variant " + typ
}

// withheld says that there is no object somewhere in the result that is laid out.
var withheld bool

// Giving comes right before a result with handles is laid out.
func Giving() { withheld = false }

// Gives says whether a handle is to be made. The host does not come to what lies behind a
// value that is refused, and nobody would end a handle there.
func Gives() bool { return !withheld }

// NoObject refuses a nil pointer in the place of an object.
func NoObject(typ string) uint32 {
	withheld = true
	RefuseValue("", "nil is no "+typ)
	return 0
}

// NoCase panics about the number of no case. No host passes one.
func NoCase(typ string, n uint32) {
	panic("undergo: variant " + typ + " has no case " + strconv.FormatUint(uint64(n), 10))
}

// IntText is v as text.
func IntText[T ~int | ~int8 | ~int16 | ~int32 | ~int64](v T) string {
	return strconv.FormatInt(int64(v), 10)
}

// UintText is v as text.
func UintText[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](v T) string {
	return strconv.FormatUint(uint64(v), 10)
}

// QuotedText is v in quotes; the beginning of it, when it is long.
func QuotedText[T ~string](v T) string {
	const most = 64
	if len(v) > most {
		return strconv.Quote(string(v[:most])) + "..."
	}
	return strconv.Quote(string(v))
}

// refused is what is refused of what the glue is lifting, and the way to it so
// far. Goroutines switch where memory is allocated, and another one may be lifting
// then: between the assignment of this and the next look at it nothing is.
var refused struct {
	path, why string
	is        bool
}

// HasLength says whether the host gave an array the right number of elements.
func HasLength(typ string, got uint32, want int) bool {
	return got == uint32(want) || wrongLength(typ, got, want)
}

//go:noinline
func wrongLength(typ string, got uint32, want int) bool {
	why := typ + " needs " + strconv.Itoa(want) + " elements, got " + strconv.FormatUint(uint64(got), 10)
	refused.path, refused.why, refused.is = "", why, true
	return false
}

// Unfit refuses what the host gave for a value of the type typ, since the type's own
// code does not take it.
//
//go:noinline
func Unfit(typ string, err error) {
	why := typ + ": " + err.Error()
	refused.path, refused.why, refused.is = "", why, true
}

// NoText refuses a value of the type typ whose own code gives no text for it. What it
// gives is no text either.
func NoText(typ string, err error) []byte {
	RefuseValue("", typ+" has no text: "+err.Error())
	return []byte{0xff}
}

// CaseNamed is the number of the case of that name. One that the enum typ does not
// have is refused.
func CaseNamed(typ string, names []string, name string) uint32 {
	if i := slices.Index(names, name); i >= 0 {
		return uint32(i)
	}
	why := typ + " has no case " + QuotedText(name)
	refused.path, refused.why, refused.is = "", why, true
	return 0
}

// CaseName is the name of the case of that number, and no text for the number of no
// case.
func CaseName(names []string, n uint32) string {
	if int(n) >= len(names) {
		return "\xff"
	}
	return names[n]
}

// Refused says whether what was lifted last is refused, and adds the step that
// leads to it.
func Refused(step string) bool { return refused.is && stepBack(step) }

// RefusedAt is Refused for an element of a list.
func RefusedAt(i int) bool { return refused.is && stepTo(func() string { return strconv.Itoa(i) }) }

// RefusedKey is Refused for an entry of a map.
func RefusedKey(k string) bool { return refused.is && stepTo(func() string { return QuotedText(k) }) }

//go:noinline
func stepTo(index func() string) bool {
	path, why := refused.path, refused.why
	refused.is = false
	path = "[" + index() + "]" + path
	refused.path, refused.why, refused.is = path, why, true
	return true
}

//go:noinline
func stepBack(step string) bool {
	path, why := refused.path, refused.why
	refused.is = false
	path = step + path
	refused.path, refused.why, refused.is = path, why, true
	return true
}

// RefusedArgument refuses the arguments of the running export when the one that
// was lifted last is refused. The export, of which that is the turn, then returns at
// once.
func RefusedArgument(turn Turn, name string) bool { return refused.is && refuseArguments(turn, name) }

//go:noinline
func refuseArguments(turn Turn, name string) bool {
	path, why := refused.path, refused.why
	refused.path, refused.why, refused.is = "", "", false
	path = name + path
	turn.Await()
	Done()
	tellArguments(path, why)
	return true
}

// CheckAnswer ends the call, and the instance, when the result of an import that
// was lifted last is refused: the function of the host is wrong, and the Go code
// that waits for it can't go on without it.
func CheckAnswer(function, path string) {
	if refused.is {
		refuseAnswer(function, path)
	}
}

//go:noinline
func refuseAnswer(function, path string) {
	path += refused.path
	why := refused.why
	tellAnswer(function, path, why)
	panic("undergo: " + function + path + ": " + why)
}
