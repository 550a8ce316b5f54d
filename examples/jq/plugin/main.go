// Jq runs queries in the language of jq, with gojq. A document is given once
// and stays in the plugin, where any number of queries read it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/itchyny/gojq"
)

var documents = map[string]any{}

// Load keeps a JSON document under a name, and gives the number of its
// outermost items.
//
//undergo:export
func Load(name string, document []byte) (int, error) {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return 0, err
	}
	documents[name] = value
	switch value := value.(type) {
	case []any:
		return len(value), nil
	case map[string]any:
		return len(value), nil
	}
	return 1, nil
}

// Query runs a query over a document that was loaded, and gives its results.
//
//undergo:export
func Query(name, query string) ([]any, error) {
	document, ok := documents[name]
	if !ok {
		return nil, fmt.Errorf("there is no document %q", name)
	}
	return Eval(query, document)
}

// Eval runs a query over a value.
//
//undergo:export
func Eval(query string, value any) ([]any, error) {
	parsed, err := gojq.Parse(query)
	if err != nil {
		var at *gojq.ParseError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("at byte %d of the query: %w", at.Offset, err)
		}
		return nil, err
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		return nil, err
	}
	results := []any{}
	for iter := code.Run(value); ; {
		result, ok := iter.Next()
		if !ok {
			return results, nil
		}
		if err, ok := result.(error); ok {
			return nil, err
		}
		results = append(results, result)
	}
}

func main() {}
