// Package config has the plugin's configuration.
//
//undergo:interface wasi:config/store@0.2.0-rc.1
package config

// An Error is why there is none.
//
//undergo:variant ErrorUpstream ErrorIo
type Error interface {
	error
	isError()
}

type ErrorUpstream string
type ErrorIo string

func (ErrorUpstream) isError() {}
func (ErrorIo) isError()       {}

func (e ErrorUpstream) Error() string { return "upstream: " + string(e) }
func (e ErrorIo) Error() string       { return "io: " + string(e) }

// An Entry is a key with its value.
//
//undergo:tuple
type Entry struct{ Key, Value string }

//undergo:import
//undergo:fails Error
var GetAll func() ([]Entry, error)

//undergo:import get
//undergo:fails Error
var Get func(key string) (*string, error)
