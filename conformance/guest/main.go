// The guest of the conformance cases: one plugin that every host runs. Each
// export is there for a case in ../cases; README.md of .. says how they fit.
package main

//go:generate go run github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen

import "os"

// started is set by init, which runs in _initialize, once.
var started int32

func init() { started++ }

// Started says how often the plugin was initialized.
//
//undergo:export
func Started() int32 { return started }

var counter int32

// Counter counts its calls, in this instance.
//
//undergo:export
func Counter() int32 {
	counter++
	return counter
}

// Env is a variable of the environment, or nothing.
//
//undergo:export
func Env(name string) *string {
	if v, ok := os.LookupEnv(name); ok {
		return &v
	}
	return nil
}

// Args are the arguments of the plugin.
//
//undergo:export
func Args() []string { return os.Args[1:] } // os.Args[0] is its name, which is the host's to choose

// ReadFile is the content of a file.
//
//undergo:export
func ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// Print writes to the standard streams.
//
//undergo:export
func Print(out, err string) {
	os.Stdout.WriteString(out)
	os.Stderr.WriteString(err)
}

// main never runs: a plugin is initialized, not executed.
func main() { panic("main ran") }
