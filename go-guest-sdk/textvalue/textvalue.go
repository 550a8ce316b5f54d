//go:build wasip1 && go1.24

// Package textvalue carries values of types that have a text form, for the generated
// code of plugins.
package textvalue

import (
	"encoding"
	"net/url"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// Decode is the value of the type T, called typ, that the host gave as text. One that
// the type does not have is refused.
func Decode[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](typ string, text []byte) (v T) {
	if err := P(&v).UnmarshalText(text); err != nil {
		undergo.Unfit(typ, err)
	}
	return v
}

// Encode is v as text for the host, or nothing when v is refused.
func Encode[T any, P interface {
	*T
	encoding.TextMarshaler
}](typ string, v *T) []byte {
	text, err := P(v).MarshalText()
	if err != nil {
		return undergo.NoText(typ, err)
	}
	return text
}

// DecodeURL is Decode for a url.URL, which has no such methods.
func DecodeURL(typ string, text []byte) (v url.URL) {
	u, err := url.Parse(string(text))
	if err != nil {
		undergo.Unfit(typ, err)
		return v
	}
	return *u
}

// EncodeURL is Encode for a url.URL.
func EncodeURL(_ string, v *url.URL) []byte { return []byte(v.String()) }
