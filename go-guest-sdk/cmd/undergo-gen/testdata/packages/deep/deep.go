// Package deep is imported by another package than main.
package deep

// Zero is not exported.
//
//undergo:export
func Zero() float64 { return 0 }
