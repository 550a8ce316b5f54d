package undergo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The list of misdeeds of all hosts: conformance/README.md says how it is run.

type misdeed struct {
	Misdeed  string   `json:"misdeed"`
	N        int64    `json:"n"`
	Kind     string   `json:"kind"`
	Contains []string `json:"contains"`
	ExitCode int      `json:"exit_code"`
}

func misdeeds(t *testing.T) []misdeed {
	content, err := os.ReadFile("../conformance/hostile/misdeeds.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Cases []misdeed `json:"cases"`
	}
	decode(t, content, &list)
	if len(list.Cases) < 30 {
		t.Fatal("the list is not whole")
	}
	return list.Cases
}

// mark is where the trace of a misdeed has to begin.
type mark struct {
	function, file string
	line           int
}

func marks(t *testing.T) map[string]mark {
	pattern := regexp.MustCompile(` // at: (\S+)(?: in (\S+))?$`)
	files, err := filepath.Glob("../conformance/hostile/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]mark{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			match := pattern.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			function := match[2]
			if function == "" {
				first, rest, _ := strings.Cut(match[1], "-")
				function = "main." + first
				for _, word := range strings.Split(rest, "-") {
					if word != "" {
						function += strings.ToUpper(word[:1]) + word[1:]
					}
				}
			}
			found[match[1]] = mark{function, filepath.Base(file), i + 1}
		}
	}
	return found
}

func (m misdeed) name() string { return fmt.Sprintf("%s(%d)", m.Misdeed, m.N) }

func (m misdeed) options(host *hostileHost) Option {
	// A generous time, but for what is to end by it.
	timeout := time.Minute
	if m.Kind == "timeout" {
		timeout = 300 * time.Millisecond
	}
	return Options(host.options(), WithTimeout(timeout))
}

// hostileHost has the functions of the host, and the instance that they call.
type hostileHost struct {
	instance *Instance
}

func (h *hostileHost) options() Option {
	return Options(
		WithMemory(64<<20),
		WithStdout(new(bytes.Buffer)),
		WithStderr(new(bytes.Buffer)),
		WithImport("host", "echo", func(s string) string { return s }),
		WithImport("host", "fail", func() error { return errRefused }),
		WithImport("host", "do", func(ctx context.Context, what string, n int64) (string, error) {
			if h.instance == nil {
				return "nothing done", nil
			}
			return Call[string](ctx, h.instance, "do", what, n)
		}),
	)
}

var errRefused = errors.New("refused by the host")

// hostileInstance makes an instance with its host.
func hostileInstance(t *testing.T, plugin *Plugin, options func(*hostileHost) Option) *Instance {
	host := &hostileHost{}
	host.instance = instance(t, plugin, options(host))
	return host.instance
}

func (m misdeed) check(t *testing.T, marks map[string]mark, err error) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("it ended with %v", err)
	}
	if failed.Kind.String() != m.Kind || failed.ExitCode != m.ExitCode {
		t.Fatalf("it ended with %s (%d), not %s (%d): %v", failed.Kind, failed.ExitCode, m.Kind, m.ExitCode, failed)
	}
	if m.Misdeed == "host-fail" && !errors.Is(err, errRefused) {
		t.Errorf("the host's own error is not in %v", err)
	}
	for _, part := range m.Contains {
		if !strings.Contains(failed.Message, part) {
			t.Errorf("%q misses %q", failed.Message, part)
		}
	}
	var panicked *PanicError
	if errors.As(err, &panicked) != (failed.Kind == KindPanic) {
		t.Error("errors.As finds another kind of error")
	}
	wanted, ok := marks[m.Misdeed]
	if !ok || failed.Kind != KindPanic && failed.Kind != KindOutOfMemory {
		return
	}
	origin := failed.Origin()
	if origin == nil || (mark{origin.Function, filepath.Base(origin.File), origin.Line}) != wanted {
		t.Errorf("it came from %v, not %v", origin, wanted)
	}
}

func TestMisdeeds(t *testing.T) {
	ctx, plugin, marks := context.Background(), hostile(t), marks(t)
	bystander := hostileInstance(t, plugin, (*hostileHost).options)
	works := func(t *testing.T, of *Instance) {
		t.Helper()
		if sum, err := Call[int64](ctx, of, "work", int32(100)); err != nil || sum != 338350 {
			t.Errorf("work gives %d and %v", sum, err)
		}
	}
	for _, m := range misdeeds(t) {
		t.Run(m.name(), func(t *testing.T) {
			doer := hostileInstance(t, plugin, m.options)
			done, err := Call[string](ctx, doer, "do", m.Misdeed, m.N)
			if m.Kind == "done" {
				if err != nil || done != "done" {
					t.Fatal(done, err)
				}
				works(t, doer)
			} else {
				m.check(t, marks, err)
				dead := doer.Do(ctx, "ready")
				if !errors.Is(dead, ErrDeadInstance) || !strings.Contains(dead.Error(), "its end was "+m.Kind) || doer.Alive() {
					t.Error(dead)
				}
			}
			works(t, bystander)
			works(t, hostileInstance(t, plugin, (*hostileHost).options))
		})
	}
}

func TestMisdeedsInInit(t *testing.T) {
	ctx, plugin, marks := context.Background(), hostile(t), marks(t)
	for _, m := range misdeeds(t) {
		t.Run(m.name(), func(t *testing.T) {
			made, err := plugin.Instantiate(ctx, m.options(&hostileHost{}), WithEnv("MISDEED", m.Misdeed), WithEnv("MISDEED_N", fmt.Sprint(m.N)))
			if m.Kind != "done" {
				m.check(t, marks, err)
			} else if err != nil {
				t.Error(err)
			} else {
				_ = made.Close()
			}
		})
	}
}
