package main

// An Error is the name of a type of the plugin.
type Error struct{ Text string }

//undergo:export
func EchoError(e Error) Error { return e }
