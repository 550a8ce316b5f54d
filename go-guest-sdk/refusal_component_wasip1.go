//go:build wasip1 && go1.24 && undergo_component

package undergo

import "strings"

// A component has no way to refuse a single value: what does not fit its type ends the
// instance, as it does where the engine finds it.

// RefuseValue panics about a value that can't be carried.
func RefuseValue(path, why string) {
	if path != "" {
		why = path + ": " + why
	}
	panic("undergo: " + why)
}

func tellArguments(path, why string) { panic("undergo: " + path + ": " + why) }

func tellAnswer(function, path, why string) {}

// ErrorText is the text of err, which the engine takes as UTF-8 alone.
func ErrorText(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }
