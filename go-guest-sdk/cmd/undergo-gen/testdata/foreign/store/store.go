// Package store keeps values by their keys.
//
//undergo:interface wasi:keyvalue/store@0.2.0-draft
package store

// An Error is why an operation failed.
//
//undergo:variant ErrorNoSuchStore ErrorAccessDenied ErrorOther
type Error interface {
	error
	isError()
}

// ErrorNoSuchStore says that the host has no such store.
type ErrorNoSuchStore struct{}

// ErrorAccessDenied says that the store is not for this plugin.
type ErrorAccessDenied struct{}

// ErrorOther is any other failure.
type ErrorOther string

func (ErrorNoSuchStore) isError()  {}
func (ErrorAccessDenied) isError() {}
func (ErrorOther) isError()        {}

func (ErrorNoSuchStore) Error() string  { return "no such store" }
func (ErrorAccessDenied) Error() string { return "access denied" }
func (e ErrorOther) Error() string      { return string(e) }

// A KeyResponse is a page of keys.
type KeyResponse struct {
	Keys   []string
	Cursor *uint64
}

// Open opens a store.
//
//undergo:import
//undergo:fails Error
var Open func(identifier string) (Bucket, error)

// A Bucket is a store that is open.
//
//undergo:resource import
type Bucket interface {
	// Get gives a value.
	//
	//undergo:fails Error
	Get(key string) (*[]byte, error)

	//undergo:fails Error
	Set(key string, value []byte) error

	//undergo:fails Error
	ListKeys(cursor *uint64) (KeyResponse, error)
}
