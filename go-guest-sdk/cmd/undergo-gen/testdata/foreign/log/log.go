// Package log has the host's log.
//
//undergo:interface wasi:logging/logging@0.1.0-draft
package log

// A Level says how much a line matters.
//
//undergo:enum
type Level uint8

const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelCritical
)

// Log writes a line.
//
//undergo:import
var Log func(level Level, context, message string)
