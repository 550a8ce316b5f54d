package undergo

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

func TestAProducerGivesNoMoreThanIsAskedFor(t *testing.T) {
	for _, wanted := range [][]int{{3, 2, 4}, {9}} {
		of := &object{home: &home{}}
		p := newProducer(of, withoutErrors(slices.Values([]int{1, 2, 3, 4, 5, 6, 7, 8, 9})))
		p.most = 5
		p.begun = true
		go p.run()
		// As after a wait that was given up: a batch is there that nobody has taken.
		<-p.ready
		var found []int
		for _, most := range wanted {
			items, hasEnded, err := p.next(t.Context(), most)
			if err != nil || len(items) > most || hasEnded && len(found)+len(items) < 9 {
				t.Fatalf("of %d: %v, %v, %v", most, items, hasEnded, err)
			}
			found = append(found, items...)
		}
		of.released()
		of.ended()
		<-p.ended
		if !slices.Equal(found, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}[:len(found)]) {
			t.Errorf("%v", found)
		}
	}
}

func TestContextsOfAPoolEndInAnyOrder(t *testing.T) {
	type key struct{}
	named := func(name string) context.Context { return context.WithValue(t.Context(), key{}, name) }
	h := &home{}
	leaveFirst := h.enter(named("first"))
	leaveSecond := h.enter(named("second"))
	leaveFirst()
	if name := h.context().Value(key{}); name != "second" {
		t.Errorf("the context is the %v", name)
	}
	leaveSecond()
	if name := h.context().Value(key{}); name != nil {
		t.Errorf("the context of the %v is left", name)
	}
}

func TestAnIteratorThatGivesNothingForEver(t *testing.T) {
	items := &Items[int]{}
	items.read(nil, func(context.Context, uint32) ([]int, bool, error) { return nil, false, nil }, true)
	if _, _, err := items.Next(t.Context()); kindOf(t, err) != KindTrap {
		t.Error(err)
	}
}

func TestAResultOfTheHostHasNoObjectOfThePlugin(t *testing.T) {
	of := &typ{kind: kindHandle, name: "note", size: 8, resource: &resource{name: "note", form: formObject}}
	var place uintptr
	err := lower(&dispatch{}, of, reflect.ValueOf(&Object{at: 1}), unsafe.Pointer(&place))
	if _, is := err.(*misfit); !is || place != 0 {
		t.Errorf("%v, %d", err, place)
	}
}
