package undergo

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// What follows is for what 'undergo bindgen --lang go' writes: values as C has them, and calls with
// structs of them. Programs have no use for it, and it changes with bindgen.

// RawText is a text as C has it.
type RawText struct {
	at, length uintptr
}

// RawList is a list, or a map, as C has it.
type RawList struct {
	at, length uintptr
}

// RawTime is a time as C has it.
type RawTime = cTime

// RawEntry is an entry of a map as C has it.
type RawEntry[K, V any] struct {
	Key   K
	Value V
}

// RawEmpty is a struct without fields as C has it.
type RawEmpty struct{ _ byte }

// RawOption is an optional value as C has it.
type RawOption uintptr

// RawWriter has the room in which nested values are written for C.
type RawWriter struct {
	// kept is what C knows the addresses of.
	kept []unsafe.Pointer
	// host is the call of a host function whose result is written, which is copied.
	host *dispatch
	// odd is the first value that is no case of its variant.
	odd oddity
	// callee is what is called, if this is for arguments.
	callee *callee
	// passed are the objects of the library that were made, and given what they stand for.
	passed []uintptr
	given  []*object
	// failed is why one was not made.
	failed error
}

// oddity is a value that is no case of its variant, as a message. C gets noCaseTag for it, finds
// where that lies, and refuses it.
type oddity string

const noCaseTag = -1

// explain puts the message in the place of C's.
func (o oddity) explain(err error) {
	found, ok := err.(*Error)
	if ok && o != "" && found.Kind == KindTypeMismatch && strings.HasPrefix(found.Message, noCasePrefix) {
		found.Message = string(o)
	}
}

// noCasePrefix begins what C says of noCaseTag.
var noCasePrefix = fmt.Sprintf("%d is not a case of ", noCaseTag)

func (w *RawWriter) room(size uintptr) unsafe.Pointer {
	if w.host != nil {
		return w.host.room(size, 8)
	}
	words := make([]uint64, max(int(size+7)/8, 1))
	at := unsafe.Pointer(unsafe.SliceData(words))
	w.kept = append(w.kept, at)
	return at
}

// bytes has C see bytes of Go's memory.
func (w *RawWriter) bytes(at unsafe.Pointer, size uintptr) uintptr {
	if size == 0 {
		return 0
	}
	if w.host == nil {
		w.kept = append(w.kept, at)
		return uintptr(at)
	}
	copied := w.host.room(size, 8)
	copy(unsafe.Slice((*byte)(copied), size), unsafe.Slice((*byte)(at), size))
	return uintptr(copied)
}

// LowerText gives a text to C.
func LowerText[T ~string](w *RawWriter, text T) RawText {
	length := uintptr(len(text))
	return RawText{w.bytes(unsafe.Pointer(unsafe.StringData(string(text))), length), length}
}

// LowerJSON gives JSON to C.
func LowerJSON[T ~[]byte](w *RawWriter, text T) RawText {
	if text == nil {
		return LowerText(w, "null")
	}
	length := uintptr(len(text))
	return RawText{w.bytes(unsafe.Pointer(unsafe.SliceData(text)), length), length}
}

// LowerPlain gives a list of numbers to C.
func LowerPlain[T any](w *RawWriter, list []T) RawList {
	var item T
	length := uintptr(len(list))
	return RawList{w.bytes(unsafe.Pointer(unsafe.SliceData(list)), length*unsafe.Sizeof(item)), length}
}

// LowerList gives a list to C.
func LowerList[T, C any](w *RawWriter, list []T, lower func(w *RawWriter, item T) C) RawList {
	if len(list) == 0 {
		return RawList{}
	}
	var item C
	items := unsafe.Slice((*C)(w.room(uintptr(len(list))*unsafe.Sizeof(item))), len(list))
	for i := range list {
		items[i] = lower(w, list[i])
	}
	return RawList{uintptr(unsafe.Pointer(unsafe.SliceData(items))), uintptr(len(list))}
}

// LowerMap gives a map to C.
func LowerMap[K comparable, V, KC, VC any](w *RawWriter, of map[K]V, key func(w *RawWriter, key K) KC, value func(w *RawWriter, value V) VC) RawList {
	if len(of) == 0 {
		return RawList{}
	}
	var entry RawEntry[KC, VC]
	entries := unsafe.Slice((*RawEntry[KC, VC])(w.room(uintptr(len(of))*unsafe.Sizeof(entry))), len(of))
	next := 0
	for k, v := range of {
		entries[next] = RawEntry[KC, VC]{key(w, k), value(w, v)}
		next++
	}
	return RawList{uintptr(unsafe.Pointer(unsafe.SliceData(entries))), uintptr(len(of))}
}

// LowerOption gives what may be nothing to C.
func LowerOption[T, C any](w *RawWriter, value *T, lower func(w *RawWriter, value T) C) RawOption {
	if value == nil {
		return 0
	}
	var inside C
	at := (*C)(w.room(unsafe.Sizeof(inside)))
	*at = lower(w, *value)
	return RawOption(uintptr(unsafe.Pointer(at)))
}

// LowerNil gives a value of an interface that may be nil to C.
func LowerNil[T, C any](w *RawWriter, value T, lower func(w *RawWriter, value T) C) RawOption {
	if any(value) == nil {
		return 0
	}
	return LowerOption(w, &value, lower)
}

// LowerCase gives the value of a variant's case to C, in the place for those of all cases.
func LowerCase[U, C any](union *U, value C) { *(*C)(unsafe.Pointer(union)) = value }

// NoCase gives C what is no case of a variant, for a value that is none.
func (w *RawWriter) NoCase(variant string, value any) int32 {
	if w.odd == "" {
		got := "nil"
		if value != nil {
			got = fmt.Sprintf("%T", value)
			if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
				got += "(nil)"
			}
		}
		w.odd = oddity(fmt.Sprintf("expected a case of %s, got %s", variant, got))
	}
	return noCaseTag
}

// LowerTime gives a time to C.
func LowerTime(value time.Time) RawTime { return timeOf(value) }

// LowerSame gives C what is the same there.
func LowerSame[T any](_ *RawWriter, value T) T { return value }

// LiftText copies a text of C.
func LiftText(text RawText) string { return cList(text).text() }

// LiftJSON copies JSON of C.
func LiftJSON(text RawText) []byte { return content(text.at, text.length) }

// LiftPlain copies a list of numbers.
func LiftPlain[T any](list RawList) []T {
	items := make([]T, list.length)
	copy(items, unsafe.Slice((*T)(pointer(list.at)), int(list.length)))
	return items
}

// LiftList copies a list of C.
func LiftList[T, C any](list RawList, lift func(item C) T) []T {
	items := make([]T, list.length)
	for i, item := range unsafe.Slice((*C)(pointer(list.at)), int(list.length)) {
		items[i] = lift(item)
	}
	return items
}

// LiftMap copies a map of C.
func LiftMap[K comparable, V, KC, VC any](list RawList, key func(key KC) K, value func(value VC) V) map[K]V {
	made := make(map[K]V, list.length)
	for _, entry := range unsafe.Slice((*RawEntry[KC, VC])(pointer(list.at)), int(list.length)) {
		made[key(entry.Key)] = value(entry.Value)
	}
	return made
}

// LiftOption copies what may be nothing.
func LiftOption[T, C any](option RawOption, lift func(value C) T) *T {
	if option == 0 {
		return nil
	}
	value := lift(*(*C)(pointer(uintptr(option))))
	return &value
}

// LiftNil copies what may be nothing, where that is nil.
func LiftNil[T, C any](option RawOption, lift func(value C) T) T {
	if option == 0 {
		var none T
		return none
	}
	return lift(*(*C)(pointer(uintptr(option))))
}

// LiftCase gives the value of a variant's case, from the place for those of all cases.
func LiftCase[C, U any](union *U) C { return *(*C)(unsafe.Pointer(union)) }

// LiftTime copies a time.
func LiftTime(value RawTime) time.Time { return value.time() }

// LiftSame gives what is the same in C.
func LiftSame[T any](value T) T { return value }

// RawSignature is a function as generated code knows it.
type RawSignature struct {
	// Interface is that of an import; empty for an export.
	Interface string
	// Name is the name in WIT.
	Name string
	// Signature is that in WIT.
	Signature string
	// Digest stands for the name and the types.
	Digest uint64
}

// RawClient is an instance or a pool whose exports are those that generated code knows.
type RawClient struct {
	callable Callable
	callee   *callee
	exports  []*function
	errors   []RawError
	// own are the calls, each a *RawCall, of those that are alone in the instance.
	own []unsafe.Pointer
}

// NewRawClient finds the exports. It fails with signature-mismatch, and all that differs, when they
// are others.
func NewRawClient(callable Callable, exports []RawSignature, errors ...RawError) (*RawClient, error) {
	client := &RawClient{callable: callable, callee: callable.of(), errors: errors}
	var wrong []error
	for _, wanted := range exports {
		found := client.callee.plugin.callable(wanted)
		if found == nil || found.digest != wanted.Digest {
			wrong = append(wrong, differs(wanted, found))
			continue
		}
		client.exports = append(client.exports, found)
	}
	client.own = make([]unsafe.Pointer, len(client.exports))
	return client, outdated(wrong)
}

// exact finds a function by its names.
func (p *Plugin) exact(among []*function, wanted RawSignature) *function {
	for _, found := range among {
		if found.Name == wanted.Name && found.Interface == wanted.Interface {
			return found
		}
	}
	return nil
}

// callable finds an export, or a constructor or a method of a resource. An export may be called
// like another package's constructor.
func (p *Plugin) callable(wanted RawSignature) *function {
	found := p.exact(p.exports, wanted)
	for _, resource := range p.resources {
		if found != nil && found.digest == wanted.Digest || resource.isHosts {
			continue
		}
		members := resource.methods
		if resource.constructor != nil {
			members = append([]*function{resource.constructor}, members...)
		}
		if member := p.exact(members, wanted); member != nil {
			found = member
		}
	}
	return found
}

func differs(wanted RawSignature, found *function) error {
	switch {
	case found == nil:
		return fmt.Errorf("it has no %s, which the client has as %s", wanted.Name, wanted.Signature)
	case found.Signature == wanted.Signature || found.Signature == "":
		return fmt.Errorf("the types of %s are others than in the client", wanted.Signature)
	default:
		return fmt.Errorf("it has %s, and the client has %s", found.Signature, wanted.Signature)
	}
}

func outdated(wrong []error) error {
	if len(wrong) == 0 {
		return nil
	}
	text := ""
	for i, each := range wrong {
		if i > 0 {
			text += "; "
		}
		text += each.Error()
	}
	return fault(KindSignatureMismatch, "the client was generated for another plugin: %s; run 'undergo bindgen' again", text)
}

// RawExport is an export of generated code, with the structs of its arguments and its result.
type RawExport[A, R any] struct {
	number int
	pool   sync.Pool
}

// NewRawExport is the export of that number among those of the client.
func NewRawExport[A, R any](number int) *RawExport[A, R] {
	return &RawExport[A, R]{number: number, pool: sync.Pool{New: func() any { return new(RawCall[A, R]) }}}
}

// RawCall is a call under way.
type RawCall[A, R any] struct {
	// Args are to be set before it is made, with Writer.
	Args A
	// Result is to be read before it ends.
	Result R
	// Writer is for the arguments.
	Writer RawWriter
	call   call
	client *RawClient
	// pool is where it goes in the end; nil when it is the client's for calls that are alone in the
	// instance.
	pool *sync.Pool
}

// Begin waits for a turn and begins a call, which is to be ended.
func (e *RawExport[A, R]) Begin(ctx context.Context, client *RawClient) (*RawCall[A, R], error) {
	bounded, err := begun(ctx)
	if err != nil {
		return nil, err
	}
	if client.callee.alone() {
		c := (*RawCall[A, R])(client.own[e.number])
		if c == nil {
			c = &RawCall[A, R]{}
			client.own[e.number] = unsafe.Pointer(c)
			e.prepare(c, client)
		}
		c.call.ctx, c.call.bounded = ctx, bounded
		return c, nil
	}
	if err := client.callee.acquire(ctx); err != nil {
		return nil, err
	}
	c := e.pool.Get().(*RawCall[A, R])
	e.prepare(c, client)
	c.call.ctx, c.call.bounded, c.pool = ctx, bounded, &e.pool
	return c, nil
}

func (e *RawExport[A, R]) prepare(c *RawCall[A, R], client *RawClient) {
	c.client, c.Writer.callee = client, client.callee
	c.call.prepare(client.callee, client.exports[e.number], unsafe.Pointer(&c.Args), unsafe.Pointer(&c.Result))
	c.call.errors = client.errors
}

// Call makes the call.
func (c *RawCall[A, R]) Call() error {
	if c.Writer.failed != nil {
		failed := c.Writer.failed
		c.Writer.failed = nil
		return failed
	}
	err := c.call.enter()
	runtime.KeepAlive(c.client)
	if err != nil {
		c.Writer.odd.explain(err)
	}
	return err
}

// End frees what the result pointed to, and ends the turn.
func (c *RawCall[A, R]) End() {
	if len(c.Writer.passed) == 0 {
		c.end()
		return
	}
	passed := RawWriter{passed: c.Writer.passed, given: c.Writer.given}
	c.Writer.passed, c.Writer.given, c.Writer.failed = nil, nil, nil
	c.end()
	// It waits for code of the program, for which the turn must have ended.
	passed.free()
}

func (c *RawCall[A, R]) end() {
	switch kept := c.Writer.kept; len(kept) {
	case 0:
	case 1:
		// To clear it as a slice would cost as much as all else here.
		kept[0] = nil
		c.Writer.kept = kept[:0]
	default:
		clear(kept)
		c.Writer.kept = kept[:0]
	}
	c.Writer.odd = ""
	c.call.clean()
	callee := c.client.callee
	if c.pool != nil {
		c.client, c.Writer.callee = nil, nil
		c.pool.Put(c)
	}
	callee.release()
}

// RawError is a type of errors with fields of generated code.
type RawError struct {
	digest uint64
	lift   func(fields unsafe.Pointer, message string) error
}

// NewRawError is the type whose record has that digest.
func NewRawError[C any](digest uint64, lift func(fields C, message string) error) RawError {
	return RawError{digest, func(fields unsafe.Pointer, message string) error { return lift(*(*C)(fields), message) }}
}

// RawErrorText is the text of an error with fields: its message, or else what it is.
func RawErrorText(message, name string, fields any) string {
	if message != "" {
		return message
	}
	if encoded, err := json.Marshal(fields); err == nil {
		return name + " " + string(encoded)
	}
	return name
}

// RawFields are the fields of an error for C.
type RawFields struct {
	digest uint64
	at     unsafe.Pointer
}

// LowerFields gives the fields of an error to C.
func LowerFields[C any](w *RawWriter, digest uint64, fields C) RawFields {
	at := w.room(unsafe.Sizeof(fields))
	*(*C)(at) = fields
	return RawFields{digest, at}
}

// RawImport gives a host function with structs. What the plugin does not import is left alone; an
// import of another type is a signature-mismatch. The errors that it returns have the fields that
// the other function gives, if there is one.
func RawImport[A, R any](
	signature RawSignature, function func(ctx context.Context, arguments *A, result *R, writer *RawWriter) error,
	fields ...func(writer *RawWriter, err error) RawFields,
) Option {
	return func(c *config) error {
		found := c.plugin.exact(c.plugin.imports, signature)
		if found == nil {
			return nil
		}
		if found.digest != signature.Digest {
			return outdated([]error{differs(signature, found)})
		}
		return c.give(found, func(ctx context.Context, d *dispatch) error {
			return answered(ctx, d, function)
		}, fields...)
	}
}

// RawCase gives the number of an enum's case by its name in WIT.
func RawCase(enum string, cases []string, text []byte) (int32, error) {
	for i, name := range cases {
		if name == string(text) {
			return int32(i), nil
		}
	}
	return 0, &Error{Kind: KindTypeMismatch, Message: fmt.Sprintf("%q is not a case of %s: %s", text, enum, listed(cases))}
}

// RawCaseName gives the name of an enum's case in WIT.
func RawCaseName(enum string, cases []string, number int32) string {
	if number < 0 || int(number) >= len(cases) {
		return fmt.Sprintf("%s(%d)", enum, number)
	}
	return cases[number]
}
