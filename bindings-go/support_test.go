package undergo

import (
	"context"
	"os"
	"testing"
)

// guest opens one of the project's guests.
func guest(t testing.TB, variable string, options ...OpenOption) *Plugin {
	t.Helper()
	file := os.Getenv(variable)
	if file == "" {
		t.Fatalf("%s is not set: run 'make test SUITES=go-host'", variable)
	}
	plugin, err := Open(context.Background(), file, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Close() })
	return plugin
}

func conformance(t testing.TB) *Plugin { return guest(t, "UNDERGO_CONFORMANCE_WASM") }

func conformanceComponent(t testing.TB) *Plugin {
	return guest(t, "UNDERGO_CONFORMANCE_COMPONENT_WASM")
}

func hostile(t testing.TB) *Plugin { return guest(t, "UNDERGO_HOSTILE_WASM") }

// instance makes an instance that is closed with the test.
func instance(t testing.TB, plugin *Plugin, options ...Option) *Instance {
	t.Helper()
	made, err := plugin.Instantiate(context.Background(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}
