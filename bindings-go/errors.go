package undergo

import (
	"context"
	"errors"
	"fmt"
	"unsafe"
)

// Kind is what went wrong, the same in all languages.
type Kind int

// The kinds of errors. Each is an error itself, for errors.Is: see [ErrPanic] and the others.
const (
	KindInvalidPlugin     Kind = iota + 1 // not a WebAssembly module, a damaged one, or one that was built in a way that can't be called
	KindMissingImport                     // the plugin needs functions that were not given
	KindUnknownExport                     // the plugin has no export of that name
	KindSignatureMismatch                 // a function has another signature than it should
	KindTypeMismatch                      // a value does not fit its type; Path says which
	KindGuestError                        // the Go function returned an error; the instance lives on
	KindPanic                             // the Go code panicked, or its runtime gave up; the instance has ended
	KindExit                              // the Go code called os.Exit; the instance has ended
	KindTrap                              // the guest did what WebAssembly forbids, or its stack overflowed; the instance has ended
	KindTimeout                           // the call took longer than it may; the instance has ended, unless the call never began
	KindCancelled                         // the call's context was cancelled; the instance has ended, unless the call never began
	KindOutOfFuel                         // the fuel was used up; the instance has ended
	KindOutOfMemory                       // the guest wanted more memory than its limit; the instance has ended
	KindHostError                         // a host function failed
	KindDenied                            // the sandbox forbids it, or can't be made as asked
	KindDeadInstance                      // the instance has ended or is closed, and answers no further call; the message tells the first cause
	KindBusy                              // the instance is in the middle of another call of the same goroutine
)

var kindNames = [...]string{"", "invalid-plugin", "missing-import", "unknown-export", "signature-mismatch", "type-mismatch", "guest-error", "panic", "exit", "trap", "timeout", "cancelled",
	"out-of-fuel", "out-of-memory", "host-error", "denied", "dead-instance", "busy"}

// String is the name of the kind in every language: "type-mismatch".
func (k Kind) String() string {
	if k < 1 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// ofKind is what errors of a kind are compared with.
type ofKind Kind

func (k ofKind) Error() string { return "undergo: " + Kind(k).String() }

// What errors.Is finds in an [Error] of the kind.
var (
	ErrInvalidPlugin     error = ofKind(KindInvalidPlugin)
	ErrMissingImport     error = ofKind(KindMissingImport)
	ErrUnknownExport     error = ofKind(KindUnknownExport)
	ErrSignatureMismatch error = ofKind(KindSignatureMismatch)
	ErrTypeMismatch      error = ofKind(KindTypeMismatch)
	ErrGuestError        error = ofKind(KindGuestError)
	ErrPanic             error = ofKind(KindPanic)
	ErrExit              error = ofKind(KindExit)
	ErrTrap              error = ofKind(KindTrap)
	ErrTimeout           error = ofKind(KindTimeout)
	ErrCancelled         error = ofKind(KindCancelled)
	ErrOutOfFuel         error = ofKind(KindOutOfFuel)
	ErrOutOfMemory       error = ofKind(KindOutOfMemory)
	ErrHostError         error = ofKind(KindHostError)
	ErrDenied            error = ofKind(KindDenied)
	ErrDeadInstance      error = ofKind(KindDeadInstance)
	ErrBusy              error = ofKind(KindBusy)
)

// Frame is a frame of a Go traceback.
type Frame struct {
	// Function is the function with its package: "main.Greet".
	Function string
	// File is the source file as the Go toolchain names it; empty where it is not known.
	File string
	// Line is the line in it, from 1; 0 where it is not known.
	Line int
	// IsRuntime says whether it belongs to Go's runtime.
	IsRuntime bool
}

// Error is any error of this package. errors.Is finds its kind in it ([ErrTimeout]),
// context.DeadlineExceeded in a timeout, context.Canceled and the context's cause in a cancelled
// call, and whatever a host function returned. errors.As gives a [PanicError], an [ExitError] or a
// [GuestError] for those kinds.
//
// Where a plugin declares errors with fields, errors.As finds each in the chain of a guest's error,
// as the type that 'undergo bindgen' writes for it, or as any struct that is called like it and has
// its fields. A host function may return such a struct, or an Error with Name and Fields: the
// plugin gets its own error, also where another one wraps it.
type Error struct {
	// Kind is what went wrong.
	Kind Kind
	// Message is the sentence, without the path.
	Message string
	// Path is where the value is that does not fit, as "greet(p.tags[3])"; empty when the error is
	// not about a value.
	Path string
	// Frames is the Go traceback of a panic, innermost first; of a trap or a timeout the functions
	// without files and lines.
	Frames []Frame
	// ExitCode is the code of os.Exit.
	ExitCode int
	// Stderr is what the plugin wrote to its standard error during the call, or the end of it.
	Stderr string
	// Denied is what the sandbox denied the plugin of the network in the call that failed, with the
	// rule that would allow it.
	Denied string
	// Name is the name in WIT of the type that a guest's error has, where the plugin declares that
	// with its fields: "not-found". It is empty for other errors.
	Name string
	// Fields are the fields of such an error, by their names in WIT, and as variables of type any
	// get them.
	Fields map[string]any

	cause error
	// typed is what a generated client made of an error with fields.
	typed error
	// record is the type of the fields.
	record *typ
}

// Error is the path, if there is one, and the message.
func (e *Error) Error() string {
	if e.Path != "" {
		return e.Path + ": " + e.Message
	}
	return e.Message
}

// Unwrap gives what the host function returned, or the cause of the context. Of a guest's error it
// gives the one that it wraps, which is an *Error, too, where the plugin declares errors with
// fields. It gives nil otherwise.
func (e *Error) Unwrap() error { return e.cause }

// Is compares with the errors of kinds, and with those of package context.
func (e *Error) Is(target error) bool {
	if kind, ok := target.(ofKind); ok {
		return Kind(kind) == e.Kind
	}
	return e.Kind == KindTimeout && target == context.DeadlineExceeded || e.Kind == KindCancelled && target == context.Canceled
}

// As gives the error as one of its kind, or as the struct that has its fields.
func (e *Error) As(target any) bool {
	switch target := target.(type) {
	case **PanicError:
		if e.Kind == KindPanic {
			*target = (*PanicError)(e)
			return true
		}
	case **ExitError:
		if e.Kind == KindExit {
			*target = (*ExitError)(e)
			return true
		}
	case **GuestError:
		if e.Kind == KindGuestError {
			*target = (*GuestError)(e)
			return true
		}
	default:
		return e.as(target)
	}
	return false
}

// Origin is the innermost frame that is not of Go's runtime: the one to show. nil when there is
// none.
func (e *Error) Origin() *Frame {
	for i := range e.Frames {
		if !e.Frames[i].IsRuntime {
			return &e.Frames[i]
		}
	}
	return nil
}

// PanicError is an [Error] of the kind panic.
type PanicError Error

func (e *PanicError) Error() string { return (*Error)(e).Error() }

// Unwrap gives the same as an [Error].
func (e *PanicError) Unwrap() error { return (*Error)(e) }

// Origin is the innermost frame that is not of Go's runtime: the one to show. nil when there is
// none.
func (e *PanicError) Origin() *Frame { return (*Error)(e).Origin() }

// ExitError is an [Error] of the kind exit.
type ExitError Error

func (e *ExitError) Error() string { return (*Error)(e).Error() }

// Unwrap gives the same as an [Error].
func (e *ExitError) Unwrap() error { return (*Error)(e) }

// GuestError is an [Error] of the kind guest-error: what the Go function returned.
type GuestError Error

func (e *GuestError) Error() string { return (*Error)(e).Error() }

// Unwrap gives the same as an [Error].
func (e *GuestError) Unwrap() error { return (*Error)(e) }

// HostPanic is what the caller gets when a host function panicked: the value, and where it was. The
// instance has ended.
type HostPanic struct {
	// Value is what the function panicked with.
	Value any
	// Stack is the stack of its goroutine, as of debug.Stack.
	Stack []byte
}

func (p *HostPanic) Error() string { return fmt.Sprintf("the host function panicked: %v", p.Value) }

// Unwrap gives the value, where it is an error.
func (p *HostPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// fault is an error of this side.
func fault(kind Kind, format string, arguments ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

// taken reads an error of the library, and frees it. nil for NULL.
func taken(handle uintptr) error {
	if handle == 0 {
		return nil
	}
	defer theLibrary.error_delete.call(handle)
	return read(handle)
}

// read copies an error of the library.
func read(handle uintptr) *Error {
	of := func(from symbol) string {
		at, _ := from.call(handle)
		return text(at)
	}
	kind, _ := theLibrary.error_kind.call(handle)
	found := &Error{
		Kind: Kind(int32(kind)), Message: of(theLibrary.error_message), Path: of(theLibrary.error_path),
		Stderr: of(theLibrary.error_stderr), Denied: of(theLibrary.error_denied),
	}
	code := new(int32)
	theLibrary.error_exit_code.call(handle, uintptr(unsafe.Pointer(code)))
	found.ExitCode = int(*code)
	for i := uintptr(0); ; i++ {
		frame := new(struct {
			function, file uintptr
			line           uint32
			isRuntime      bool
		})
		if is, _ := theLibrary.error_frame.call(handle, i, uintptr(unsafe.Pointer(frame))); is&0xff == 0 {
			break
		}
		found.Frames = append(found.Frames, Frame{text(frame.function), text(frame.file), int(frame.line), frame.isRuntime})
	}
	if object, ok := hostObject(handle); ok {
		found.cause = object.err
	}
	return found
}

// asked gives the error of a call whose context may be why it ended.
func asked(ctx context.Context, err error) error {
	found, ok := err.(*Error)
	if !ok || found.Kind != KindTimeout && found.Kind != KindCancelled || ctx.Err() == nil {
		return err
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		found.Kind = KindTimeout
	}
	found.cause = context.Cause(ctx)
	return found
}
