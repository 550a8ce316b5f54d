//go:build wasip1 && go1.24

package jsonvalue

import (
	"encoding/json"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// Decode is the value that the host gave as text, which the host has checked.
func Decode(text []byte) any {
	v, err := decode(text)
	if err != nil {
		panic("undergo: JSON from the host: " + err.Error())
	}
	return v
}

// DecodeAs is the value of the type T, called typ, that the host gave as text. One
// that does not fit is refused.
func DecodeAs[T any](typ string, text []byte) (v T) {
	if err := json.Unmarshal(text, &v); err != nil {
		undergo.Unfit(typ, err)
	}
	return v
}

// Encode is v as text for the host, or nothing when v is refused.
func Encode(v any) []byte {
	text, misfit := encode(v)
	if misfit.why != "" {
		undergo.RefuseValue(misfit.path, misfit.why)
		return nil
	}
	return text
}
