package net

import "context"

// The extension has no question for other names of a host, so that Go's resolver has to ask a name
// server. This is the function since Go 1.26.
func cgoLookupCNAME(ctx context.Context, name string) (string, error) {
	return "", newDNSError(errNoSuchHost, name, "")
}
