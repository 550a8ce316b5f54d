//go:build go1.24

package iterator

import undergo "github.com/undergo-dev/undergo/go-guest-sdk"

// lock is nothing where goroutines switch only in calls that allocate or wait: what
// happens between Lock and Unlock does neither. A mutex would double what an item
// costs.
type lock struct{}

func (*lock) Lock()   {}
func (*lock) Unlock() {}

func now() undergo.Turn { return undergo.Now() }
