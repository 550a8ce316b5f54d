package main

import (
	"errors"

	"example.com/acme/foreign/v2/atomics"
	"example.com/acme/foreign/v2/config"
	"example.com/acme/foreign/v2/log"
	"example.com/acme/foreign/v2/store"
)

// Report has a type of another package in one of the plugin's own.
type Report struct {
	Level log.Level
	Page  *store.KeyResponse
}

// Count counts in a store of the host's.
//
//undergo:export
func Count(key string) (int64, error) {
	bucket, err := store.Open("default")
	if errors.Is(err, store.ErrorNoSuchStore{}) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	log.Log(log.LevelInfo, "count", key)
	if _, err := config.GetAll(); err != nil {
		return 0, err
	}
	cas, err := atomics.NewCas(bucket, key)
	if err != nil {
		return 0, err
	}
	var failed atomics.CasErrorCasFailed
	if err := atomics.Swap(cas, []byte("x")); errors.As(err, &failed) {
		_, err = failed.Value.Current()
		return 0, err
	}
	return atomics.Increment(bucket, key, 1)
}

// Into takes a bucket that the host has opened itself.
//
//undergo:export
func Into(bucket store.Bucket, r Report) (Report, error) { return r, bucket.Set("k", nil) }

func main() {}
