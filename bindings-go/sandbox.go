package undergo

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	streamStdout = 1
	streamStderr = 2
)

func sandboxed(code func(c *config, kept *keeper) uintptr) Option {
	return func(c *config) error {
		kept := &keeper{}
		failed := code(c, kept)
		runtime.KeepAlive(kept)
		return taken(failed)
	}
}

// WithArgs adds to os.Args, behind the program's name, which is always there.
func WithArgs(arguments ...string) Option {
	return eachText(func() symbol { return theLibrary.sandbox_add_arg }, arguments)
}

// eachText gives the sandbox some texts, one after the other. The function is asked for when the
// option is applied: the library may not be loaded before.
func eachText(function func() symbol, texts []string) Option {
	return func(c *config) error {
		for _, text := range texts {
			err := sandboxed(func(c *config, kept *keeper) uintptr {
				failed, _ := function().call(c.sandbox, kept.text(text))
				return failed
			})(c)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// WithEnv sets an environment variable. Nothing is taken from this process's own environment.
func WithEnv(name, value string) Option {
	return sandboxed(func(c *config, kept *keeper) uintptr {
		failed, _ := theLibrary.sandbox_set_env.call(c.sandbox, kept.text(name), kept.text(value))
		return failed
	})
}

// WithDir gives the guest a directory of the host: guest is the path at which it sees it. Where
// none is given at "/", it sees an empty root that it can only read.
func WithDir(guest, host string) Option { return withDir(guest, host, false) }

// WithReadOnlyDir gives the guest a directory of the host that it can only read.
func WithReadOnlyDir(guest, host string) Option { return withDir(guest, host, true) }

func withDir(guest, host string, readonly bool) Option {
	return sandboxed(func(c *config, kept *keeper) uintptr {
		failed, _ := theLibrary.sandbox_add_dir.call(c.sandbox, kept.text(guest), kept.text(host), one(readonly))
		return failed
	})
}

// WithFS gives the guest a file system that it can only read. It is copied to a temporary folder,
// once for each instance or pool that is made with it, which is removed when that is closed.
func WithFS(guest string, fsys fs.FS) Option {
	return func(c *config) error {
		folder, err := os.MkdirTemp("", "undergo-fs-")
		if err != nil {
			return err
		}
		c.cleanup = append(c.cleanup, func() { _ = os.RemoveAll(folder) })
		if err := os.CopyFS(folder, fsys); err != nil {
			return err
		}
		return withDir(guest, folder, true)(c)
	}
}

// WithTemp gives the guest a folder for temporary files at "/tmp", of its own and empty, which is
// gone when the guest is.
func WithTemp() Option {
	return sandboxed(func(c *config, _ *keeper) uintptr {
		failed, _ := theLibrary.sandbox_set_temp.call(c.sandbox, one(true))
		return failed
	})
}

// WithStdin has the guest read its standard input from a reader; by default it is empty. [os.Stdin]
// is inherited, and another file that has a name is read by each instance from its beginning. What
// is in memory ([bytes.Reader], [bytes.Buffer], [strings.Reader]) is given to each instance from
// there to its end.
//
// Another reader is read while the guest reads, by a goroutine, a little ahead of it; it is read
// once, by whichever instance comes first. An error of it is the end for the guest. Closing the
// instance or the pool ends that, but for a Read that is under way: it is not waited for.
func WithStdin(reader io.Reader) Option {
	switch reader := reader.(type) {
	case *os.File:
		if reader == os.Stdin || hasName(reader) {
			return withStdinFile(reader)
		}
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return func(c *config) error {
			bytes, err := io.ReadAll(reader)
			if err != nil {
				return err
			}
			failed, _ := theLibrary.sandbox_stdin_bytes.call(c.sandbox, address(bytes), uintptr(len(bytes)))
			runtime.KeepAlive(bytes)
			return taken(failed)
		}
	}
	return withStdinPipe(reader)
}

// hasName says whether the file is the one that its name leads to. Those of [os.Pipe] are not.
func hasName(file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(file.Name())
	return err == nil && os.SameFile(opened, named)
}

func withStdinPipe(reader io.Reader) Option {
	return func(c *config) error {
		from, to, err := os.Pipe()
		if err != nil {
			return err
		}
		c.cleanup = append(c.cleanup, func() { _ = from.Close() })
		go func() {
			_, _ = io.Copy(to, reader)
			_ = to.Close()
		}()
		path := cText("/dev/fd/" + strconv.Itoa(int(from.Fd())))
		failed, _ := theLibrary.sandbox_stdin_file.call(c.sandbox, address(path))
		runtime.KeepAlive(path)
		return taken(failed)
	}
}

func withStdinFile(file *os.File) Option {
	return sandboxed(func(c *config, kept *keeper) uintptr {
		if file == os.Stdin {
			failed, _ := theLibrary.sandbox_stdin_inherit.call(c.sandbox)
			return failed
		}
		failed, _ := theLibrary.sandbox_stdin_file.call(c.sandbox, kept.text(file.Name()))
		return failed
	})
}

// WithStdout has the guest's standard output written to a writer: each line at once, with its
// newline. A last line without one is written when the call ends, with one. An error of the writer
// ends the call and the instance. [os.Stdout] is inherited, which is the default; io.Discard drops
// all.
func WithStdout(writer io.Writer) Option { return output(streamStdout, os.Stdout, writer) }

// WithStderr does the same with the guest's standard error. Its end is kept for the text of a panic
// in any case.
func WithStderr(writer io.Writer) Option { return output(streamStderr, os.Stderr, writer) }

func output(stream uintptr, own *os.File, writer io.Writer) Option {
	if writer == own || writer == io.Discard {
		return func(c *config) error {
			set := theLibrary.sandbox_inherit
			if writer == io.Discard {
				set = theLibrary.sandbox_discard
			}
			failed, _ := set.call(c.sandbox, stream)
			return taken(failed)
		}
	}
	return lines(stream, func(line []byte) error {
		_, err := writer.Write(append(line, '\n'))
		return err
	})
}

// WithStdoutLines gives each line of the guest's standard output to a function, without its
// newline. An error ends the call and the instance, and is what the caller gets. The function can't
// call the instance whose output it gets.
func WithStdoutLines(function func(line string) error) Option {
	return lines(streamStdout, func(line []byte) error { return function(string(line)) })
}

// WithStderrLines does the same with the guest's standard error.
func WithStderrLines(function func(line string) error) Option {
	return lines(streamStderr, func(line []byte) error { return function(string(line)) })
}

func lines(stream uintptr, line func(line []byte) error) Option {
	return func(c *config) error {
		failed, _ := theLibrary.sandbox_lines_dispatched.call(c.sandbox, stream, uintptr(unsafe.Pointer(theDispatcher)), hold(&object{line: line}))
		return taken(failed)
	}
}

// WithLogger sends each line of the guest's standard output as a record of level info, and each of
// its standard error of level warn, with the attribute "stream".
func WithLogger(handler slog.Handler) Option {
	log := func(level slog.Level, stream string) func(line []byte) error {
		return func(line []byte) error {
			ctx := context.Background()
			if !handler.Enabled(ctx, level) {
				return nil
			}
			record := slog.NewRecord(time.Now(), level, strings.ToValidUTF8(string(line), "\uFFFD"), 0)
			record.AddAttrs(slog.String("stream", stream))
			return handler.Handle(ctx, record)
		}
	}
	return Options(lines(streamStdout, log(slog.LevelInfo, "stdout")), lines(streamStderr, log(slog.LevelWarn, "stderr")))
}

// WithCapturedStdout keeps the guest's standard output, up to so many bytes (1 MiB for 0), for
// [Instance.TakeStdout] or [Completed.Stdout].
func WithCapturedStdout(limit int) Option { return captured(streamStdout, limit) }

// WithCapturedStderr does the same with its standard error.
func WithCapturedStderr(limit int) Option { return captured(streamStderr, limit) }

func captured(stream uintptr, limit int) Option {
	return func(c *config) error {
		if limit < 0 {
			return fault(KindTypeMismatch, "%d bytes can't be captured", limit)
		}
		failed, _ := theLibrary.sandbox_capture.call(c.sandbox, stream, uintptr(limit))
		return taken(failed)
	}
}

// WithClock gives the guest a clock of its own, for runs that can be repeated: it begins at a time,
// anew for each instance, goes on by a microsecond whenever the guest reads it, and to the end of a
// wait, which takes no time.
func WithClock(start time.Time) Option {
	return func(c *config) error {
		words := (*[2]uintptr)(unsafe.Pointer(&cTime{start.Unix(), uint32(start.Nanosecond()), 0}))
		failed, _ := theLibrary.sandbox_set_clock.call(c.sandbox, words[0], words[1])
		return taken(failed)
	}
}

// WithSeed has all random numbers of the guest follow from a seed, for runs that can be repeated:
// never for keys.
func WithSeed(seed uint64) Option {
	return func(c *config) error {
		failed, _ := theLibrary.sandbox_set_seed.call(c.sandbox, uintptr(seed))
		return taken(failed)
	}
}

// WithNetwork lets the guest reach something over the network, by rules: "example.org:443" and
// "10.0.0.0/8:5432" are for connecting, "listen=127.0.0.1:8080" is for listening. docs/network.md
// has all of them. What no rule allows is denied.
func WithNetwork(rules ...string) Option {
	return eachText(func() symbol { return theLibrary.sandbox_allow_network }, rules)
}

// WithListener hands the guest a listener for TCP that is open already: it accepts there, and needs
// no rule for it. Its descriptor is the first behind those of the directories, 3 without any, and
// one more for each further one. The guest has a copy: closing this one does not end it. Both
// accept connections, so don't accept here.
func WithListener(listener net.Listener) Option {
	return func(c *config) error {
		opened, ok := listener.(syscall.Conn)
		if _, isTCP := listener.Addr().(*net.TCPAddr); !ok || !isTCP {
			return fault(KindTypeMismatch, "a listener of type %T can't be handed to a guest: it has to be one for TCP", listener)
		}
		raw, err := opened.SyscallConn()
		if err != nil {
			return err
		}
		var copied int
		var failed error
		err = raw.Control(func(descriptor uintptr) {
			syscall.ForkLock.RLock()
			defer syscall.ForkLock.RUnlock()
			if copied, failed = syscall.Dup(int(descriptor)); failed == nil {
				syscall.CloseOnExec(copied)
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
		handle, _ := theLibrary.sandbox_give_listener.call(c.sandbox, uintptr(copied))
		return taken(handle)
	}
}

// WithListen listens at an address such as "127.0.0.1:8080" for the guest, as [WithListener]. The
// listener is closed with the last of its instances.
func WithListen(address string) Option {
	return sandboxed(func(c *config, kept *keeper) uintptr {
		failed, _ := theLibrary.sandbox_listen.call(c.sandbox, kept.text(address), 0)
		return failed
	})
}
