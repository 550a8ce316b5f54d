package main

import (
	"strings"
	"time"
)

// Base is embedded: its fields are those of what embeds it.
type Base struct {
	ID      int64
	Name    string
	Created time.Time // hidden by a field that lies less deep, in User
}

type base struct {
	Count int32
	inner int
}

// Left and Right both have a Side, which neither gives.
type Left struct {
	Side string
	Only string `json:"only_left"`
}

type Right struct {
	Side  string
	Other string `json:"other"`
}

// Tagged is a field like others, with the name that its tag gives.
type Tagged struct {
	Any string
}

type Plain struct {
	Title string `undergo:"Title"`
}

// The field here is the same as that of Plain, which says its name in a tag.
type Titled struct {
	Out   string `json:"-"`
	Title string `json:",omitempty"`
}

// Label is no struct, and so a field.
type Label string

// A Deep embeds what embeds.
type Deep struct{ Middle }

type Middle struct {
	Base
	Level uint8
}

// A User has all of that.
type User struct {
	Base
	base
	Left
	Right
	Plain
	Titled
	Label
	strings.Reader
	Named   Middle
	Tagged  `undergo:"named-too"`
	Name    string `json:"full_name"`
	Own     string
	Created string // when, in words
}

// Alike is laid out as its only field.
type Alike struct{ Point }

type Point struct{ X, Y int32 }

//undergo:export
func EchoUser(u *User) *User { return u }

//undergo:export
func EchoDeep(d Deep) []Deep { return []Deep{d} }

//undergo:export
func EchoAlike(a []Alike) []Alike { return a }

func main() {}
