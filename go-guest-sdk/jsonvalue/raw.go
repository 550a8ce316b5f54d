//go:build go1.24

package jsonvalue

var null = []byte("null")

// Raw is v, or null when it is empty, as encoding/json has it.
func Raw(v []byte) []byte {
	if len(v) == 0 {
		return null
	}
	return v
}
