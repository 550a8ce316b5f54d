// Undergo-gen writes the glue between a plugin, a Go package main, and its host.
//
// Usage:
//
//	undergo-gen [-dir DIR] [-o FILE] [-wit FILE] [-places FILE] [-world NAME] [-sdk PATH] [-quiet]
//
// It reads the directives in the doc comments of the package in DIR, and of the packages of its
// module that it imports:
//
//	//undergo:export [NAME]         on a function or method that the host calls
//	//undergo:keep PARAMETER        on such a function that uses what the host passes after the call
//	//undergo:import MODULE [NAME]  on a variable of function type that the host sets
//	//undergo:enum                  on a type whose constants are an enum
//	//undergo:variant [CASE...]     on an interface type whose implementations are a variant's cases
//	//undergo:error                 on a type of errors with fields
//	//undergo:resource              on a struct type whose objects the host holds
//	//undergo:resource import       on an interface type that the host implements
//
// and writes one Go file for wasip1, if there is a function with a directive. What it can't map is
// reported, all of it in one run, and nothing is written; the exit status is 1 then. What looks
// like a directive and has no effect is a warning. The go command that it runs is $UNDERGO_GO, or
// go.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/check"
	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/emit"
	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/parse"
)

const defaultOutput = "undergo_gen.go"

func main() {
	dir := flag.String("dir", ".", "directory of the plugin")
	out := flag.String("o", "", "file to write, - for standard output (default: "+defaultOutput+" in the plugin's directory)")
	wit := flag.String("wit", "", "file to write the interface to, as well")
	places := flag.String("places", "", "file to write where each function is declared, as well")
	world := flag.String("world", "", "name of the plugin's world (default: the last element of its import path)")
	sdk := flag.String("sdk", emit.SDK, "import path of the SDK")
	quiet := flag.Bool("quiet", false, "say nothing when there is nothing to generate")
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		fmt.Println("undergo-gen", undergo.Version)
		return
	}
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "undergo-gen: unexpected argument %q; the plugin's directory is -dir\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*dir, *out, *wit, *places, *world, *sdk, *quiet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, out, wit, places, world, sdk string, quiet bool) error {
	name := defaultOutput
	switch out {
	case "-":
	case "":
		out = filepath.Join(dir, defaultOutput)
	default:
		name = filepath.Base(out)
	}
	ignored, err := parse.Ignored(dir, name)
	if err != nil {
		return err
	}
	if len(ignored) > 0 {
		fmt.Fprintln(os.Stderr, ignored)
	}
	plugin, err := parse.Plugin(dir, name, world)
	if err != nil {
		return err
	}
	if len(plugin.Exports)+len(plugin.Imports) == 0 {
		return nothing(dir, out, quiet)
	}
	if err := check.Plugin(plugin); err != nil {
		return err
	}
	code, err := emit.Glue(plugin, undergo.Version, sdk)
	if err != nil {
		return err
	}
	if wit != "" {
		if err := os.WriteFile(wit, []byte(emit.WIT(plugin)), 0o644); err != nil {
			return err
		}
	}
	if places != "" {
		if err := os.WriteFile(places, []byte(emit.Places(plugin)), 0o644); err != nil {
			return err
		}
	}
	if out == "-" {
		_, err = os.Stdout.Write(code)
		return err
	}
	return os.WriteFile(out, code, 0o644)
}

// nothing is what becomes of a plugin without directives. It may do without the
// SDK, so that no glue may be in its way, not even that of an earlier run.
func nothing(dir, out string, quiet bool) error {
	if !quiet {
		fmt.Fprintf(os.Stderr, "undergo-gen: no //undergo:export and no //undergo:import in %s: nothing to generate\n", dir)
	}
	if text, err := os.ReadFile(out); out != "-" && err == nil && parse.IsGlue(text) {
		return os.Remove(out)
	}
	return nil
}
