package main

import (
	"cmp"
	"errors"
	"runtime"
	"slices"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// closed counts the tallies whose last handle has ended.
var closed int32

// A Tally counts.
//
//undergo:resource
type Tally struct {
	value int64
	log   []string
}

// NewTally starts at a number that is not negative.
//
//undergo:export
func NewTally(start int64) (*Tally, error) {
	if start < 0 {
		return nil, errors.New("a tally can't start below zero")
	}
	return &Tally{value: start}, nil
}

// Value is where it stands.
//
//undergo:export
func (t *Tally) Value() int64 { return t.value }

// Add counts n more, and says where it stands then.
//
//undergo:export
func (t *Tally) Add(n int64) int64 {
	t.value += n
	return t.value
}

// Take counts n less, which it has to have.
//
//undergo:export
func (t *Tally) Take(n int64) (int64, error) {
	if n > t.value {
		return 0, errors.New("there is too little to take")
	}
	t.value -= n
	return t.value, nil
}

// Write keeps lines, and says how many there are.
//
//undergo:export
func (t *Tally) Write(lines []string) int32 {
	t.log = append(t.log, lines...)
	return int32(len(t.log))
}

// Compare says which of two stands higher.
//
//undergo:export
func (t *Tally) Compare(with *Tally) int32 { return int32(cmp.Compare(t.value, with.value)) }

// Copy is another one.
//
//undergo:export
func (t *Tally) Copy() *Tally { return &Tally{value: t.value, log: slices.Clone(t.log)} }

// Itself is this one, by another handle.
//
//undergo:export
func (t *Tally) Itself() *Tally { return t }

// Panic panics with msg.
//
//undergo:export
func (t *Tally) Panic(msg string) { panic(msg) }

// Close is called when the last handle of a tally ends.
func (t *Tally) Close() error {
	closed++
	if t.value == -13 {
		panic("a tally of -13 was closed")
	}
	return errors.New("nobody hears this")
}

// ClosedTallies says how many have been closed since it was last asked.
//
//undergo:export
func ClosedTallies() int32 {
	n := closed
	closed = 0
	return n
}

// HandlesOfGuest says how many handles of its objects the host has.
//
//undergo:export
func HandlesOfGuest() int32 {
	n, _ := undergo.Handles()
	return int32(n)
}

// HandlesOfHost says how many handles of the host's objects and functions the guest has.
//
//undergo:export
func HandlesOfHost() int32 {
	// What nothing refers to is found by a collection, and ends when its cleanup has run.
	for range 10 {
		runtime.GC()
		undergo.Yield()
	}
	_, n := undergo.Handles()
	return int32(n)
}

// SumTallies adds two up.
//
//undergo:export
func SumTallies(a, b *Tally) int64 { return a.value + b.value }

// MergeTallies makes one of two.
//
//undergo:export
func MergeTallies(a, b *Tally) *Tally { return &Tally{value: a.value + b.value} }

// AddAll adds to each of the list, and to the one that may be there.
//
//undergo:export
func AddAll(all []*Tally, one **Tally, n int64) {
	for _, t := range all {
		t.value += n
	}
	if one != nil {
		(*one).value += n
	}
}

// CountUp makes n tallies.
//
//undergo:export
func CountUp(n int64) []*Tally {
	all := make([]*Tally, n)
	for i := range all {
		all[i] = &Tally{value: int64(i)}
	}
	return all
}

// MaybeTally makes a tally unless the number is zero.
//
//undergo:export
func MaybeTally(start int64) **Tally {
	if start == 0 {
		return nil
	}
	t := &Tally{value: start}
	return &t
}

// TallyAndName gives two results, or neither.
//
//undergo:export
func TallyAndName(start int64, name string) (*Tally, string, error) {
	if name == "" {
		return nil, "", errors.New("no name")
	}
	return &Tally{value: start}, "tally " + name, nil
}

// NoTally gives nothing where there has to be something.
//
//undergo:export
func NoTally() *Tally { return nil }

// NoTallies gives a list with nothing in its middle.
//
//undergo:export
func NoTallies() ([]*Tally, error) { return []*Tally{{value: 1}, nil, {value: 3}}, nil }

// A Counting has tallies in it.
type Counting struct {
	Name   string
	Main   *Tally
	Others []*Tally
	Spare  *Tally `undergo:",optional"`
	Named  map[string]*Tally
	Best   Best
}

// A Best is what counts most.
//
//undergo:variant
type Best interface{ isBest() }

// Nobody is the best.
type Nobody struct{}

// Guess is a number.
type Guess int64

func (*Tally) isBest() {}
func (Nobody) isBest() {}
func (Guess) isBest()  {}

// NewCounting makes tallies from start on.
//
//undergo:export
func NewCounting(name string, start int64) Counting {
	main := &Tally{value: start}
	return Counting{Name: name, Main: main, Others: CountUp(2), Named: map[string]*Tally{"a": {value: start + 1}}, Best: main}
}

// SumCounting adds up all that it is given.
//
//undergo:export
func SumCounting(c Counting) int64 {
	sum := c.Main.value
	for _, t := range c.Others {
		sum += t.value
	}
	for _, t := range c.Named {
		sum += t.value
	}
	if c.Spare != nil {
		sum += c.Spare.value
	}
	switch best := c.Best.(type) {
	case *Tally:
		sum += best.value
	case Guess:
		sum += int64(best)
	}
	return sum
}

// EchoCounting gives back all that it is given.
//
//undergo:export
func EchoCounting(c Counting) Counting { return c }

// FirstOf gives one of two back.
//
//undergo:export
func FirstOf(p Couple) *Tally { return p.First }

// A Couple is two tallies.
type Couple struct{ First, Second *Tally }

var keptTally *Tally

// KeepTally keeps it beyond the call.
//
//undergo:export
func KeepTally(t *Tally) { keptTally = t }

// KeptTally is what was kept.
//
//undergo:export
func KeptTally() (*Tally, error) {
	if keptTally == nil {
		return nil, errors.New("nothing was kept")
	}
	return keptTally, nil
}

// A Lamp is another resource, with names that mean something elsewhere.
//
//undergo:resource
//undergo:export
type Lamp struct{ on bool }

// NewLamp makes one that is off.
func NewLamp() *Lamp { return &Lamp{} }

// Switch says whether it is on then.
func (l *Lamp) Switch() bool {
	l.on = !l.on
	return l.on
}

// On says whether it is.
func (l Lamp) On() bool { return l.on }

// Class is a keyword.
func (l *Lamp) Class(def string, this bool) string {
	if this {
		return "class " + def
	}
	return def
}

// Tally counts its lamps.
func (l *Lamp) Tally(others []*Lamp) *Tally {
	t := &Tally{}
	for _, l := range append(others, l) {
		if l.on {
			t.value++
		}
	}
	return t
}
