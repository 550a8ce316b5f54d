//go:build go1.24 && !(wasip1 && undergo_component)

package outgoing

import (
	"errors"
	"fmt"
	"net/http"
)

// RoundTrip fails here, since there is no host.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, fmt.Errorf("outgoing: requests are sent by the host of a component: %w", errors.ErrUnsupported)
}
