// Package atomics changes values in one step.
//
//undergo:interface wasi:keyvalue/atomics@0.2.0-draft
package atomics

import "example.com/acme/foreign/v2/store"

// A CasError is why a swap failed.
//
//undergo:variant CasErrorStoreError CasErrorCasFailed
type CasError interface {
	error
	isCasError()
}

// CasErrorStoreError is an error of the store's.
//
//undergo:value
type CasErrorStoreError struct{ Value store.Error }

// CasErrorCasFailed says that the value has changed meanwhile.
//
//undergo:value
type CasErrorCasFailed struct{ Value Cas }

func (CasErrorStoreError) isCasError() {}
func (CasErrorCasFailed) isCasError()  {}

func (e CasErrorStoreError) Error() string { return "store error: " + e.Value.Error() }
func (CasErrorCasFailed) Error() string    { return "the value has changed" }

//undergo:import
//undergo:fails store.Error
var Increment func(bucket store.Bucket, key string, delta int64) (int64, error)

// A Cas is a value that is to be replaced.
//
//undergo:resource import
type Cas interface {
	// Current is the value now.
	//
	//undergo:fails store.Error
	Current() (*[]byte, error)
}

// NewCas begins to replace a value.
//
//undergo:import [static]cas.new
//undergo:fails store.Error
var NewCas func(bucket store.Bucket, key string) (Cas, error)

// Swap replaces the value, unless it has changed.
//
//undergo:import
//undergo:keep cas
//undergo:fails CasError
var Swap func(cas Cas, value []byte) error
