package undergo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestOutputs(t *testing.T) {
	plugin := conformance(t)
	host := (&conformanceRunner{}).imports()
	call := func(t *testing.T, options ...Option) *Instance {
		inst := instance(t, plugin, append([]Option{host}, options...)...)
		if err := inst.Do(context.Background(), "print", "one\ntwo", "three\n"); err != nil {
			t.Fatal(err)
		}
		return inst
	}
	t.Run("writers", func(t *testing.T) {
		var out, err bytes.Buffer
		call(t, WithStdout(&out), WithStderr(&err))
		if out.String() != "one\ntwo\n" || err.String() != "three\n" {
			t.Errorf("%q %q", out.String(), err.String())
		}
	})
	t.Run("lines", func(t *testing.T) {
		var lines []string
		keep := func(line string) error {
			lines = append(lines, line)
			return nil
		}
		call(t, WithStdoutLines(keep), WithStderrLines(keep))
		if strings.Join(lines, "|") != "one|three|two" && strings.Join(lines, "|") != "one|two|three" {
			t.Error(lines)
		}
	})
	t.Run("captured", func(t *testing.T) {
		inst := call(t, WithCapturedStdout(0), WithCapturedStderr(3))
		if out, err := inst.TakeStdout(), inst.TakeStderr(); string(out) != "one\ntwo" || string(err) != "thr" {
			t.Errorf("%q %q", out, err)
		}
		if out := inst.TakeStdout(); len(out) != 0 {
			t.Errorf("%q", out)
		}
	})
	t.Run("logged", func(t *testing.T) {
		var log bytes.Buffer
		call(t, WithLogger(slog.NewJSONHandler(&log, nil)))
		var record struct{ Level, Msg, Stream string }
		all := log.String()
		if err := json.NewDecoder(&log).Decode(&record); err != nil || record.Level != "INFO" || record.Msg != "one" || record.Stream != "stdout" {
			t.Error(record, err)
		}
		if !strings.Contains(all, `"WARN","msg":"three","stream":"stderr"`) {
			t.Error(all)
		}
	})
	t.Run("fails", func(t *testing.T) {
		full := errors.New("the disk is full")
		inst := instance(t, plugin, host, WithStdoutLines(func(string) error { return full }), WithStderr(io.Discard))
		if err := inst.Do(context.Background(), "print", "x\n", ""); !errors.Is(err, full) || inst.Alive() {
			t.Error(err)
		}
	})
}

func TestFilesAndEnvironment(t *testing.T) {
	plugin, ctx := conformance(t), context.Background()
	host := (&conformanceRunner{}).options()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a.txt"), []byte("on disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	embedded := fstest.MapFS{"sub/b.txt": &fstest.MapFile{Data: []byte("in memory")}}
	inst, err := plugin.Instantiate(ctx, host, WithReadOnlyDir("/disk", folder), WithFS("/memory", embedded), WithEnv("MODE", "prod"), WithArgs("a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	for file, wanted := range map[string]string{"/disk/a.txt": "on disk", "/memory/sub/b.txt": "in memory"} {
		if content, err := Call[[]byte](ctx, inst, "read-file", file); err != nil || string(content) != wanted {
			t.Errorf("%s is %q, %v", file, content, err)
		}
	}
	if mode, err := Call[*string](ctx, inst, "env", "MODE"); err != nil || mode == nil || *mode != "prod" {
		t.Error(mode, err)
	}
	if none, err := Call[*string](ctx, inst, "env", "HOME"); err != nil || none != nil {
		t.Error(none, err)
	}
	if args, err := Call[[]string](ctx, inst, "args"); err != nil || strings.Join(args, " ") != "a b" {
		t.Error(args, err)
	}
	copied := inst.callee.cleanup
	_ = inst.Close()
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "undergo-fs-*")); len(copied) != 1 || len(left) != 0 {
		t.Error("the copy of the file system is left:", left)
	}
	if _, err := plugin.Instantiate(ctx, host, WithDir("/x", "/no/such/folder")); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
}

func TestRepeatableRuns(t *testing.T) {
	command := guest(t, "UNDERGO_COMMAND_WASM")
	start := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, wrong := range []Option{WithClock(time.Unix(-5, 0)), WithNetwork("nonsense"), WithTimeout(-1), WithCapturedStdout(-1)} {
		if _, err := command.Run(context.Background(), wrong); err == nil {
			t.Error("it was accepted")
		}
	}
	done, err := command.Run(context.Background(), WithClock(start), WithSeed(7), WithArgs("exit", "0"))
	if err != nil || done.Code != 0 || done.Usage.Memory == 0 {
		t.Error(done, err)
	}
}

func TestCommands(t *testing.T) {
	command, ctx := guest(t, "UNDERGO_COMMAND_WASM"), context.Background()
	content, err := os.ReadFile("../conformance/command/runs.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Runs []struct {
			Name, Stderr  string
			Args          []string
			Env           map[string]string
			Stdin, Stdout *string
			Code, Length  int
			Truncated     bool
		}
	}
	if err := json.Unmarshal(content, &list); err != nil || len(list.Runs) < 8 {
		t.Fatal("the list is not whole", err)
	}
	for _, run := range list.Runs {
		t.Run(run.Name, func(t *testing.T) {
			options := []Option{WithArgs(run.Args...)}
			for name, value := range run.Env {
				options = append(options, WithEnv(name, value))
			}
			if run.Stdin != nil {
				options = append(options, WithStdin(strings.NewReader(*run.Stdin)))
			}
			done, err := command.Run(ctx, options...)
			if err != nil {
				t.Fatal(err)
			}
			if done.Code != run.Code || done.Truncated != run.Truncated {
				t.Errorf("the code is %d, not %d; %t", done.Code, run.Code, done.Truncated)
			}
			if run.Stdout != nil && string(done.Stdout) != *run.Stdout || run.Length > 0 && len(done.Stdout) != run.Length {
				t.Errorf("it wrote %.200q", done.Stdout)
			}
			if !strings.Contains(string(done.Stderr), run.Stderr) || run.Stderr == "" && len(done.Stderr) > 0 {
				t.Errorf("it wrote %q to its standard error", done.Stderr)
			}
		})
	}
	if _, err := command.Instantiate(ctx); !errors.Is(err, ErrInvalidPlugin) {
		t.Error(err)
	}
}

func TestStdinIsReadWhileTheGuestReads(t *testing.T) {
	command, ctx := guest(t, "UNDERGO_COMMAND_WASM"), context.Background()
	reads := func(reader io.Reader, more ...Option) (string, error) {
		done, err := command.Run(ctx, append(more, WithStdin(reader), WithArgs("show"))...)
		if err != nil {
			return "", err
		}
		_, input, _ := strings.Cut(string(done.Stdout), "stdin ")
		return strings.TrimSpace(input), nil
	}
	from, to := io.Pipe()
	input := ""
	_, err := reads(from, WithStdoutLines(func(line string) error {
		// The guest runs, and has not read anything.
		if strings.HasPrefix(line, "name ") {
			go func() {
				_, _ = io.WriteString(to, "after the beginning")
				_ = to.Close()
			}()
		}
		input = line
		return nil
	}))
	if err != nil || input != `stdin "after the beginning"` {
		t.Error(input, err)
	}
	// A wait for a reader ends with the call.
	never, end := io.Pipe()
	late, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := command.Run(late, WithStdin(never), WithArgs("show")); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	_ = end.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	_, _ = write.WriteString("by a pipe")
	_ = write.Close()
	if input, err := reads(read); err != nil || input != `"by a pipe"` {
		t.Error(input, err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "input"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, _ = file.WriteString("from a file")
	for range 2 {
		if input, err := reads(file); err != nil || input != `"from a file"` {
			t.Error(input, err)
		}
	}
}

func TestListenerIsHandedIn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	answered := make(chan string)
	go func() {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer connection.Close()
		text, _ := io.ReadAll(connection)
		answered <- string(text)
	}()
	done, err := guest(t, "UNDERGO_COMMAND_WASM").Run(context.Background(), WithListener(listener), WithArgs("answer"))
	if err != nil || done.Code != 0 {
		t.Error(done, err)
	}
	if text := <-answered; text != "hello" && text != "hello\n" {
		t.Errorf("%q", text)
	}
	unix, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	if _, err := conformance(t).Instantiate(context.Background(), WithListener(unix)); !errors.Is(err, ErrTypeMismatch) {
		t.Error(err)
	}
}

func TestNetworkIsDenied(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			_, _ = connection.Write([]byte("hi there"))
			_ = connection.Close()
		}
	}()
	command, ctx := guest(t, "UNDERGO_COMMAND_WASM"), context.Background()
	denied, err := command.Run(ctx, WithArgs("dial", listener.Addr().String()))
	if err != nil || denied.Code == 0 {
		t.Error(denied, err)
	}
	allowed, err := command.Run(ctx, WithArgs("dial", listener.Addr().String()), WithNetwork(listener.Addr().String()))
	if err != nil || allowed.Code != 0 || !strings.Contains(string(allowed.Stdout), "hi there") {
		t.Error(allowed, err)
	}
}
