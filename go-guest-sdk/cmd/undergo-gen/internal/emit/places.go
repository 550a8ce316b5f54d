package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// Places says where the functions of p are declared: a line for each, of its name within
// its interface, a tab, and its file and line.
func Places(p *model.Plugin) string {
	var b strings.Builder
	for _, f := range slices.Concat(p.Exports, p.Imports) {
		fmt.Fprintf(&b, "%s\t%s\n", f.InInterface(), model.Line(f.Pos))
	}
	return b.String()
}
