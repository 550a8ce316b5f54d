package undergo

import (
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// Items is what an iterator of the plugin's gives: an iter.Seq there. Those of an iter.Seq2 are a T
// of two fields or items, such as a [Pair].
//
//	numbers, err := undergo.Call[*undergo.Items[int64]](ctx, instance, "Numbers", 5)
//	…
//	for number, err := range numbers.All(ctx) {
//
// Items come in batches, which grow while they come quickly. An error, such as a panic of the
// plugin, comes after the items before it. Items may be an argument where the plugin wants an
// iterator.
//
// It has to be read to its end or closed, which [Items.All] does; the collector does so, too, as it
// does with an [Object].
type Items[T any] struct {
	handle *Object
	// fetch calls the guest for up to so many.
	fetch func(ctx context.Context, most uint32) (items []T, hasEnded bool, err error)
	// reading is held by who reads.
	reading  sync.Mutex
	batch    []T
	hasEnded bool
	ahead    readAhead
}

// Pair is what the iterators of an iter.Seq2 give.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// nextArgs is the struct of the arguments of next, and of read.
type nextArgs struct {
	handle uintptr
	most   uint32
}

func (i *Items[T]) adopt(l *lifter, t *typ, at uintptr) error {
	if t.resource.form != formIterator {
		return &misfit{text: fmt.Sprintf("the %s %s is no iterator: its type is %s", t.resource.form, t, t.resource.naturalType())}
	}
	item := t.resource.item()
	if err := checked(item, reflect.TypeFor[T](), true); err != nil {
		return &misfit{text: fmt.Sprintf("the items of %s: %v", t, err)}
	}
	next := t.resource.methods[0]
	list := &typ{kind: kindList, size: 16, align: 8, elem: item}
	handle := new(Object).hold(l.instance, t.resource, at)
	i.read(handle, func(ctx context.Context, most uint32) (items []T, hasEnded bool, err error) {
		args, result := &nextArgs{at, most}, unsafe.Pointer(&make([]uint64, next.result.size/8+1)[0])
		err = handle.enter(ctx, next, unsafe.Pointer(args), result, nil, func() error {
			of := &lifter{ctx, handle.instance}
			err := lift(of, list, unsafe.Add(result, next.result.fields[0].at), reflect.ValueOf(&items).Elem())
			hasEnded = *(*bool)(unsafe.Add(result, next.result.fields[1].at))
			discard(list, unsafe.Add(result, next.result.fields[0].at))
			return mismatched(err, next.Name)
		})
		return items, hasEnded, err
	}, isSmall(item))
	return nil
}

// read has items come by fetch.
func (i *Items[T]) read(handle *Object, fetch func(ctx context.Context, most uint32) (items []T, hasEnded bool, err error), areSmall bool) {
	i.handle, i.fetch, i.ahead = handle, fetch, newReadAhead(areSmall)
}

func (i *Items[T]) object() *Object { return i.handle }

// take gives up to so many items, and none at the end only.
func (i *Items[T]) take(ctx context.Context, most int) ([]T, error) {
	if !i.reading.TryLock() {
		return nil, fault(KindBusy, "the iterator is in the middle of another call")
	}
	defer i.reading.Unlock()
	for len(i.batch) == 0 && !i.hasEnded {
		begun := time.Now()
		found, hasEnded, err := i.fetch(ctx, i.ahead.most)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && !hasEnded {
			// It would be asked for ever otherwise.
			return nil, fault(KindTrap, "the guest's iterator gave neither an item nor its end")
		}
		i.ahead.note(len(found), time.Since(begun))
		i.batch, i.hasEnded = found, hasEnded
		if hasEnded {
			// It has nothing more to do. Were there an error, the next call would have it, too.
			_ = i.handle.Close()
		}
	}
	taken := i.batch[:min(most, len(i.batch))]
	i.batch = i.batch[len(taken):]
	return taken, nil
}

// Next gives the next item, or ok is false at the end.
func (i *Items[T]) Next(ctx context.Context) (item T, ok bool, err error) {
	taken, err := i.take(ctx, 1)
	if err != nil || len(taken) == 0 {
		return item, false, err
	}
	return taken[0], true, nil
}

// All gives the items that are left. An error is the last thing that it gives. A loop that is left
// early closes the iterator, and so the plugin's function ends.
func (i *Items[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer func() { _ = i.Close() }()
		var none T
		for {
			batch, err := i.take(ctx, math.MaxInt)
			if err != nil {
				yield(none, err)
				return
			}
			if len(batch) == 0 {
				return
			}
			for _, item := range batch {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Close ends the iterator: its function in the plugin returns. Otherwise as [Object.Close].
func (i *Items[T]) Close() error {
	if i.reading.TryLock() {
		i.batch = nil
		i.reading.Unlock()
	}
	return i.handle.Close()
}

// asItems has the items be those of an argument.
func (i *Items[T]) asItems() nextItems {
	return func(ctx context.Context, w writer, list *typ, most int, to unsafe.Pointer) (hasEnded bool, err error) {
		batch, err := i.take(ctx, most)
		if err != nil {
			return false, err
		}
		return len(batch) == 0, lower(w, list, reflect.ValueOf(batch), to)
	}
}

// readAhead is how many items to ask for.
type readAhead struct{ most, limit uint32 }

func newReadAhead(areSmall bool) readAhead {
	if areSmall {
		return readAhead{1, 1024}
	}
	return readAhead{1, 256}
}

// note says how many have come of those that were asked for, and how long that took.
func (r *readAhead) note(came int, took time.Duration) {
	if uint32(came) == r.most && took < time.Millisecond {
		r.most = min(2*r.most, r.limit)
	} else {
		r.most = 1
	}
}

// isSmall says whether values are small, and point to nothing.
func isSmall(t *typ) bool {
	_, isNumber := scalarKinds[t.kind]
	return isNumber || t.kind == kindDuration
}
