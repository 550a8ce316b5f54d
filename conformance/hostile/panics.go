package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// panics end a call by a panic that nobody recovers.
var panics = map[string]func(n int64){
	"panic-string":          panicString,
	"panic-error":           panicError,
	"panic-custom":          panicCustom,
	"panic-number":          panicNumber,
	"panic-lines":           panicLines,
	"panic-long":            panicLong,
	"panic-nil":             panicNil,
	"panic-in-defer":        panicInDefer,
	"panic-again":           panicAgain,
	"panic-in-goroutine":    panicInGoroutine,
	"panic-in-method":       panicInMethod,
	"panic-in-error":        panicInError,
	"panic-deep":            panicDeep,
	"panic-after-imitation": panicAfterImitation,
	"panic-within-line":     panicWithinLine,
	"nil-dereference":       nilDereference,
	"index-out-of-range":    indexOutOfRange,
	"slice-out-of-range":    sliceOutOfRange,
	"divide-by-zero":        divideByZero,
	"nil-map-write":         nilMapWrite,
	"type-assertion":        typeAssertion,
	"nil-function":          nilFunction,
	"close-of-closed":       closeOfClosed,
	"close-of-nil":          closeOfNil,
	"send-on-closed":        sendOnClosed,
	"negative-length":       negativeLength,
	"unhashable-key":        unhashableKey,
	"recovered":             recovered,
	"imitate-panic":         imitatePanic,
}

func panicString(int64) { panic("a string") } // at: panic-string

func panicError(int64) { panic(errors.New("an error")) } // at: panic-error

type custom struct {
	Code int
	Text string
}

func panicCustom(int64) { panic(custom{3, "x"}) } // at: panic-custom

type failure int

func (f failure) Error() string { return fmt.Sprint("failure number ", int(f)) }

func panicNumber(n int64) { panic(failure(n)) } // at: panic-number

// panicLines has a message that imitates the trace behind it.
func panicLines(int64) {
	panic("first\n\ngoroutine 7 [running]:\nmain.fake()\n\t/fake.go:1 +0x1\n\npanic: second") // at: panic-lines
}

func panicLong(n int64) { panic(strings.Repeat("long ", int(n))) } // at: panic-long

func panicNil(int64) { panic(nil) } // at: panic-nil

func panicInDefer(int64) {
	defer func() { panic("in defer") }() // at: panic-in-defer in main.panicInDefer.func1
	panic("before")
}

func panicAgain(int64) {
	defer func() {
		panic(fmt.Sprint("again: ", recover())) // at: panic-again in main.panicAgain.func1
	}()
	panic("once")
}

func panicInGoroutine(int64) {
	go func() {
		panic("in a goroutine") // at: panic-in-goroutine in main.panicInGoroutine.func1
	}()
	select {}
}

type thing struct{ parts []int }

func (t *thing) part(i int) int { return t.parts[i] } // at: panic-in-method in main.(*thing).part

func panicInMethod(n int64) { (&thing{}).part(int(n)) }

type unprintable struct{}

func (unprintable) Error() string { panic("in Error") } // at: panic-in-error in main.unprintable.Error

func panicInError(int64) { panic(unprintable{}) }

//go:noinline
func panicDeep(n int64) {
	if n <= 0 {
		panic("deep down") // at: panic-deep
	}
	panicDeep(n - 1)
	os.Getpid() // no tail call
}

const imitation = "panic: an imitation\n\ngoroutine 1 [running]:\nmain.imitated()\n\t/imitated.go:7 +0x1\n\n"

// imitatePanic prints what a panic prints, and returns as if nothing were.
func imitatePanic(int64) { os.Stderr.WriteString(imitation) }

func panicAfterImitation(int64) {
	os.Stderr.WriteString(imitation)
	panic("the real one") // at: panic-after-imitation
}

func panicWithinLine(int64) {
	os.Stderr.WriteString("a line without its end")
	panic("panic: of my own") // at: panic-within-line
}

func nilDereference(int64) {
	var p *custom
	p.Code = 1 // at: nil-dereference
}

func indexOutOfRange(n int64) {
	v := make([]int, 3)
	v[n]++ // at: index-out-of-range
}

func sliceOutOfRange(n int64) {
	v := make([]int, 3)
	fmt.Println(v[n:]) // at: slice-out-of-range
}

func divideByZero(int64) {
	var zero int64
	fmt.Println(1 / zero) // at: divide-by-zero
}

func nilMapWrite(int64) {
	var m map[string]int
	m["x"] = 1 // at: nil-map-write
}

func typeAssertion(int64) {
	var v any = "text"
	fmt.Println(v.(int)) // at: type-assertion
}

func nilFunction(int64) {
	var f func()
	f() // at: nil-function
}

func closeOfClosed(int64) {
	c := make(chan int)
	close(c)
	close(c) // at: close-of-closed
}

func closeOfNil(int64) {
	var c chan int
	close(c) // at: close-of-nil
}

func sendOnClosed(int64) {
	c := make(chan int, 1)
	close(c)
	c <- 1 // at: send-on-closed
}

func negativeLength(int64) {
	n := -1
	fmt.Println(make([]byte, n)) // at: negative-length
}

func unhashableKey(int64) {
	m := map[any]int{}
	m[[]int{1}]++ // at: unhashable-key
}

// recovered panics, and recovers: an honest function may do that.
func recovered(int64) {
	defer func() { recover() }()
	panic("recovered")
}
