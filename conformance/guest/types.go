package main

import (
	"context"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// A Code has a text form of its own.
type Code [2]byte

// MarshalText fails for the code that is zero.
func (c Code) MarshalText() ([]byte, error) {
	if c == (Code{}) {
		return nil, errors.New("there is no code")
	}
	return c[:], nil
}

// UnmarshalText takes two letters.
func (c *Code) UnmarshalText(text []byte) error {
	if len(text) != len(c) {
		return errors.New("a code has two letters")
	}
	copy(c[:], text)
	return nil
}

// Times of the plugin's own.
type (
	// Timeout is how long something may take.
	Timeout time.Duration
	// Stamp is when it was.
	Stamp time.Time
)

// Meta is embedded: its fields are those of what embeds it.
type Meta struct {
	Author  string
	Version int32
}

// A Pair has two values.
type Pair[A, B any] struct {
	First  A
	Second B
}

// A Node refers to nodes, which travel as JSON.
type Node struct {
	Name     string
	Children []Node `undergo:",json"`
}

// Parts is what Go has types for, and WIT has not.
type Parts struct {
	Meta
	Addr    netip.Addr
	Link    *url.URL
	Amount  big.Int
	Code    *Code
	Codes   []Code
	Timeout Timeout
	At      Stamp
	Phase   complex64
	Pair    Pair[string, int32]
	ByCode  map[Code]uint8
}

// EchoParts returns p.
//
//undergo:export
func EchoParts(p Parts) Parts { return p }

// EchoTexts returns its arguments.
//
//undergo:export
func EchoTexts(a netip.Addr, u url.URL, n *big.Int, c Code) (netip.Addr, url.URL, *big.Int, Code) {
	return a, u, n, c
}

// Factorial is n!.
//
//undergo:export
func Factorial(n uint8) big.Int { return *new(big.Int).MulRange(1, int64(n)) }

// ZeroCode has no text.
//
//undergo:export
func ZeroCode() ([]Code, error) { return []Code{{'a', 'b'}, {}}, nil }

// Conjugate mirrors c.
//
//undergo:export
func Conjugate(c complex128) complex128 { return complex(real(c), -imag(c)) }

// Rotate turns all numbers by a right angle.
//
//undergo:export
func Rotate(all []complex64) []complex64 {
	for i := range all {
		all[i] *= 1i
	}
	return all
}

// Later adds a timeout to a time.
//
//undergo:export
func Later(at Stamp, by Timeout) Stamp { return Stamp(time.Time(at).Add(time.Duration(by))) }

// Swap swaps the values of p.
//
//undergo:export
func Swap(p Pair[string, int32]) Pair[int32, string] {
	return Pair[int32, string]{p.Second, p.First}
}

// Names are those of n and of all nodes in it.
//
//undergo:export
func Names(n Node) (string, Node) {
	var names []string
	var walk func(Node)
	walk = func(n Node) {
		names = append(names, n.Name)
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(n)
	return strings.Join(names, " "), n
}

// EchoColorCounts returns m.
//
//undergo:export
func EchoColorCounts(m map[Color]int64) map[Color]int64 { return m }

// BadColorCounts returns a count of what is no color.
//
//undergo:export
func BadColorCounts() map[Color]int64 { return map[Color]int64{7: 1} }

// AskWithContext asks the host with a context that is done, or not.
//
//undergo:export
func AskWithContext(ctx context.Context, done bool) error {
	if done {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		ctx = cancelled
	}
	return HostCheck(ctx, "")
}
