package main

import (
	"context"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"time"
)

// An ID has a text form of its own, and would be a list otherwise.
type ID [16]byte

func (id ID) MarshalText() ([]byte, error) { return id[:], nil }

func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 16 {
		return errors.New("an ID has 16 bytes")
	}
	copy(id[:], text)
	return nil
}

// Half has one method of two, and is an integer.
type Half int

func (h Half) MarshalText() ([]byte, error) { return nil, nil }

// A Level is an enum, because its directive says so.
//
//undergo:enum
type Level int

const LevelLow Level = 0

func (l Level) MarshalText() ([]byte, error) { return nil, nil }

func (l *Level) UnmarshalText(text []byte) error { return nil }

// Times of a plugin's own.
type (
	Timeout time.Duration
	Longer  Timeout
	Stamp   time.Time
)

// A Tree is recursive, and travels as JSON where it refers to itself.
type Tree struct {
	Value    int
	Children []Tree `undergo:",json"`
	Any      any    `undergo:"anything,json"`
}

// A Host has all sorts of texts.
type Host struct {
	Addr    netip.Addr
	Port    netip.AddrPort
	URL     *url.URL
	Amount  big.Int
	Ratio   *big.Rat
	ID      ID
	Bare    [16]byte
	Level   Level
	Half    Half
	Timeout Timeout
	Longer  *Longer
	At      Stamp
	Phase   complex64
	ByAddr  map[netip.Addr]ID
	IDs     []ID
}

//undergo:export
func Echo(h Host) (Host, error) { return h, nil }

//undergo:export
func Resolve(ctx context.Context, a netip.Addr, u url.URL, t Timeout, at Stamp) (netip.Addr, error) {
	return Ask(ctx, a)
}

//undergo:export
func Factorial(n int) *big.Int { return nil }

//undergo:export
func Rotate(c complex128, all []complex128, one complex64) (complex128, []complex128) { return c, all }

//undergo:export
func Real(c complex128) complex128 { return c }

//undergo:export
func EchoTree(t Tree) Tree { return t }

//undergo:export
func EchoTimes(a Timeout, b Stamp, c []Longer) (Timeout, Stamp, []Longer) { return a, b, c }

// Ask has a context, which does not cross.
//
//undergo:import net
var Ask func(ctx context.Context, a netip.Addr) (netip.Addr, error)

//undergo:import net
var Tell func(ctx context.Context, u *url.URL, c complex64, t Timeout, at Stamp)

func main() {}
