package main

import "time"

// EchoBool returns v.
//
//undergo:export
func EchoBool(v bool) bool { return v }

// EchoInt8 returns v.
//
//undergo:export
func EchoInt8(v int8) int8 { return v }

// EchoInt16 returns v.
//
//undergo:export
func EchoInt16(v int16) int16 { return v }

// EchoInt32 returns v.
//
//undergo:export
func EchoInt32(v int32) int32 { return v }

// EchoInt64 returns v.
//
//undergo:export
func EchoInt64(v int64) int64 { return v }

// EchoUint8 returns v.
//
//undergo:export
func EchoUint8(v uint8) uint8 { return v }

// EchoUint16 returns v.
//
//undergo:export
func EchoUint16(v uint16) uint16 { return v }

// EchoUint32 returns v.
//
//undergo:export
func EchoUint32(v uint32) uint32 { return v }

// EchoUint64 returns v.
//
//undergo:export
func EchoUint64(v uint64) uint64 { return v }

// EchoInt returns v, which has 64 bits.
//
//undergo:export
func EchoInt(v int) int { return v }

// EchoUint returns v, which has 64 bits.
//
//undergo:export
func EchoUint(v uint) uint { return v }

// EchoRune returns v.
//
//undergo:export
func EchoRune(v rune) rune { return v }

// EchoFloat32 returns v.
//
//undergo:export
func EchoFloat32(v float32) float32 { return v }

// EchoFloat64 returns v.
//
//undergo:export
func EchoFloat64(v float64) float64 { return v }

// EchoString returns s.
//
//undergo:export
func EchoString(s string) string { return s }

// EchoBytes returns v.
//
//undergo:export
func EchoBytes(v []byte) []byte { return v }

// EchoDuration returns v.
//
//undergo:export
func EchoDuration(v time.Duration) time.Duration { return v }

// EchoTime returns v.
//
//undergo:export
func EchoTime(v time.Time) time.Time { return v }

// A UserID is a number with a name.
type UserID uint32

// EchoUserID returns v.
//
//undergo:export
func EchoUserID(v UserID) UserID { return v }

// BadString returns bytes that are not UTF-8.
//
//undergo:export
func BadString() string { return "ok\xff" }

// BadStrings returns a list with a string that is not UTF-8.
//
//undergo:export
func BadStrings() []string { return []string{"ok", "\xc3\x28"} }
