// Counter counts visits: in the host's store, by the host's configuration, with the host's log.
package main

import (
	"errors"
	"fmt"

	"example.com/counter/host/config/store"
	"example.com/counter/host/keyvalue/atomics"
	"example.com/counter/host/keyvalue/batch"
	keyvalue "example.com/counter/host/keyvalue/store"
	"example.com/counter/host/logging/logging"
)

// Visit counts a visit of a page, and says the how many-th it is.
//
//undergo:export
func Visit(page string) (string, error) {
	visits, err := open()
	if err != nil {
		return "", err
	}
	count, err := atomics.Increment(visits, page, 1)
	if err != nil {
		logging.Log(logging.LevelError, "visits", fmt.Sprintf("%s is not counted: %v", page, err))
		return "", err
	}
	logging.Log(logging.LevelInfo, "visits", fmt.Sprintf("%s: %d", page, count))
	greeting, err := store.Get("greeting")
	switch {
	case err != nil:
		return "", err
	case greeting == nil:
		return fmt.Sprintf("visit %d", count), nil
	}
	return fmt.Sprintf("%s, visit %d", *greeting, count), nil
}

// Pages are all pages that were visited, with their counts.
//
//undergo:export
func Pages() (map[string]string, error) {
	visits, err := open()
	if err != nil {
		return nil, err
	}
	pages := map[string]string{}
	for cursor := (*string)(nil); ; {
		page, err := visits.ListKeys(cursor)
		if err != nil {
			return nil, err
		}
		counts, err := batch.GetMany(visits, page.Keys)
		if err != nil {
			return nil, err
		}
		for _, count := range counts {
			if count != nil {
				pages[count.F0] = string(count.F1)
			}
		}
		if cursor = page.Cursor; cursor == nil {
			return pages, nil
		}
	}
}

// Rename gives the count of a page to another name, unless somebody counts meanwhile.
//
//undergo:export
func Rename(from, to string) (bool, error) {
	visits, err := open()
	if err != nil {
		return false, err
	}
	cas, err := atomics.CasNew(visits, to)
	if err != nil {
		return false, err
	}
	count, err := visits.Get(from)
	if err != nil || count == nil {
		return false, err
	}
	var changed atomics.CasErrorCasFailed
	switch err := atomics.Swap(cas, *count); {
	case errors.As(err, &changed):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, visits.Delete(from)
}

// open is the store whose name the configuration has.
func open() (keyvalue.Bucket, error) {
	name := "default"
	if configured, err := store.Get("store"); err != nil {
		return nil, err
	} else if configured != nil {
		name = *configured
	}
	bucket, err := keyvalue.Open(name)
	if errors.Is(err, keyvalue.ErrorNoSuchStore{}) {
		return nil, fmt.Errorf("the host has no store %q: %w", name, err)
	}
	return bucket, err
}

func main() {}
