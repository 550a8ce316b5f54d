package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Divmod divides a by b.
//
//undergo:export
func Divmod(a, b int64) (q, r int64) { return a / b, a % b }

// Split gives the first word of s and how many there are.
//
//undergo:export
func Split(s string) (string, int32, error) {
	fields := strings.Fields(s)
	if len(fields) == 0 {
		return "", 0, errors.New("no words")
	}
	return fields[0], int32(len(fields)), nil
}

// Fail fails with msg, unless it is empty.
//
//undergo:export
func Fail(msg string) error {
	if msg == "" {
		return nil
	}
	return errors.New(msg)
}

// FailOr fails with msg, or returns v when it is empty.
//
//undergo:export
func FailOr(msg string, v int32) (int32, error) { return v, Fail(msg) }

// Both returns strings and an error at once; the error counts.
//
//undergo:export
func Both(msg string) ([]string, error) { return []string{"ignored"}, Fail(msg) }

// Remaining is how many milliseconds the call has left, or -1.
//
//undergo:export
func Remaining(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return -1
	}
	return time.Until(deadline).Milliseconds()
}

// Wait waits for the end of the context, and no longer than ms milliseconds.
//
//undergo:export
func Wait(ctx context.Context, ms int32) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return nil
	}
}

// Many has more parameters than WebAssembly passes one by one.
//
//undergo:export
func Many(a int8, b uint16, c int32, d int64, e float32, f float64, g bool, h, i, j string, k []int32, l Color,
	m *string, n Point) string {
	text := "-"
	if m != nil {
		text = *m
	}
	return words(a, b, c, d, e, f, g, h, i, j, k, int(l), text, n)
}

// words is the text of all of v, with a space between each two.
func words(v ...any) string { return strings.TrimSuffix(fmt.Sprintln(v...), "\n") }

// Sixteen has as many parameters as WebAssembly passes one by one.
//
//undergo:export
func Sixteen(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p int32) int32 {
	return a - b + c - d + e - f + g - h + i - j + k - l + m - n + o - p
}

// Nothing takes and gives nothing.
//
//undergo:export
func Nothing() {}

// Keywords has parameters that are keywords in other languages, or in WIT.
//
//undergo:export
func Keywords(class, lambda, record string, from, list int32) string {
	return words(class, lambda, record, from, list)
}

// Pass is a keyword in Python.
//
//undergo:export
func Pass(v int32) int32 { return v + 1 }

// Call may be the name of a method of the host's instance.
//
//undergo:export
func Call(v int32) int32 { return v + 2 }

// Close may be the name of a method of the host's instance.
//
//undergo:export
func Close(v int32) int32 { return v + 3 }

// Exports may be the name of an attribute of the host's instance.
//
//undergo:export
func Exports(v int32) int32 { return v + 4 }

// GetHTTPStatus2 is named otherwise in WIT.
//
//undergo:export http-status
func GetHTTPStatus2() int32 { return 418 }
