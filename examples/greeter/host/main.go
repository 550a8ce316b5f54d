// Calls the greeter: values and errors there and back.
//
// Usage: main greeter.wasm
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	undergo "github.com/undergo-dev/undergo/bindings-go"
)

// Person is somebody to be greeted.
type Person struct {
	Name  string
	Email *string
	Tags  []string
}

var directory = map[string][]string{"Ada": {"mathematics", "engines"}, "Grace": {}}

// lookup gives a person's tags; the plugin calls this.
func lookup(name string) ([]string, error) {
	tags, ok := directory[name]
	if !ok {
		return nil, fmt.Errorf("%s is not in the directory", name)
	}
	return tags, nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: main greeter.wasm")
	}
	ctx := context.Background()
	plugin, err := undergo.Open(ctx, os.Args[1])
	must(err)
	defer plugin.Close()
	start := func() *undergo.Instance {
		instance, err := plugin.Instantiate(ctx,
			undergo.WithImport("directory", "lookup", lookup), undergo.WithMemory(64<<20), undergo.WithTimeout(5*time.Second))
		must(err)
		return instance
	}
	greeter := start()
	greet := func(person any, shout bool) (string, error) {
		return undergo.Call[string](ctx, greeter, "Greet", person, shout)
	}

	// What the plugin has, with the comments of its Go source.
	var names []string
	for _, export := range plugin.Exports() {
		names = append(names, export.Name)
	}
	fmt.Println("exports:", strings.Join(names, ", "))
	fmt.Printf("%s\n\n", plugin.Exports()[0].Docs)

	// A struct is a record, and what is optional is a pointer.
	text, err := greet(Person{Name: "Ada"}, false)
	must(err)
	fmt.Println(text)

	email := "grace@example.com"
	grace := Person{Name: "Grace", Email: &email, Tags: []string{"compilers"}}
	text, err = greet(grace, true)
	must(err)
	fmt.Printf("%s\n\n", text)

	// An error that the plugin's function returns.
	_, err = greet(Person{}, false)
	show(err)

	// An error of the host's function reaches the plugin as an error.
	_, err = greet(Person{Name: "Nobody"}, false)
	show(err)

	// A map will do for a record, too. A value that does not fit: the path says which.
	_, err = greet(map[string]any{"name": "Ada", "tags": []any{"a", "b", 3}}, false)
	var failed *undergo.Error
	if errors.As(err, &failed) {
		fmt.Printf("%s: at %s\n", failed.Kind, failed.Path)
	}

	// A name that is misspelt.
	show(greeter.Do(ctx, "great", grace, false))

	// The instance has lived through all of these. A panic ends it.
	fmt.Println(life(greeter))
	var panicked *undergo.PanicError
	if errors.As(greeter.Do(ctx, "initial", Person{}), &panicked) {
		fmt.Printf("%s: %s\nin %s\n", panicked.Kind, panicked.Message, panicked.Frames[0].Function)
	}
	fmt.Println(life(greeter))
	must(greeter.Close())

	// The plugin itself is as good as ever, and a new instance is quickly made.
	greeter = start()
	defer greeter.Close()
	text, err = undergo.Call[string](ctx, greeter, "initial", grace)
	must(err)
	fmt.Println(text)
}

// show prints an error that was to be expected.
func show(err error) {
	var failed *undergo.Error
	if !errors.As(err, &failed) {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", failed.Kind, failed.Message)
}

func life(instance *undergo.Instance) string {
	if instance.Alive() {
		return "alive"
	}
	return "ended"
}

// must ends the program when something has failed that should not.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
