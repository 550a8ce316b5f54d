package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/emit"
	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/parse"
)

var (
	// declarations is the block of Go code in docs/types.md.
	declarations = regexp.MustCompile("(?s)```go\n(.*?)```")

	// typeRow is a row of its tables: a Go type, and what that is in WIT.
	typeRow = regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]* \\| `([^`]+)` \\|.*\\|$")

	// handleRow is a row of the table of what lives longer than a call, which also says
	// where.
	handleRow = regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]* as a (parameter|result) \\| `([^`]+)` \\|.*\\|$")

	// anyRow is a row of a table, but for its head and the line below that.
	anyRow = regexp.MustCompile(`(?m)^\| [^-G].*\|$`)
)

// rows finds those of a section's table, each of which must be one, and have as many
// columns as the head.
func rows(t *testing.T, section string, row *regexp.Regexp) [][]string {
	t.Helper()
	head, _, _ := strings.Cut(section[strings.Index(section, "| Go |"):], "\n")
	for _, line := range anyRow.FindAllString(section, -1) {
		if !row.MatchString(line) {
			t.Errorf("this row says nothing that can be tested: %s", line)
		}
		if got, want := columns(line), columns(head); got != want {
			t.Errorf("this row has %d columns, and the table %d: %s", got, want, line)
		}
	}
	return row.FindAllStringSubmatch(section, -1)
}

// columns are those of a row. A bar that is part of a cell is escaped.
func columns(row string) int { return strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") - 1 }

// TestDocumentedTypes generates the interface of a plugin with each Go type of the
// tables in docs/types.md, which say what that is in WIT.
func TestDocumentedTypes(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "types.md"))
	if err != nil {
		t.Skip("docs/types.md is not here: ", err)
	}
	values, functions, ok := strings.Cut(string(doc), "\n## Functions\n")
	if !ok {
		t.Fatal("docs/types.md has no section Functions")
	}
	functions, handles, _ := strings.Cut(functions, "\n## ")
	handles, _, _ = strings.Cut(handles, "\n## ")
	var src strings.Builder
	src.WriteString("package main\n\nimport (\n\t\"context\"\n\t\"encoding/json\"\n\t\"io\"\n\t\"iter\"\n\t\"math/big\"\n\t\"net/netip\"\n\t\"net/url\"\n\t\"time\"\n)\n")
	src.WriteString("var _ context.Context\n\nfunc main() {}\n\n" + declarations.FindStringSubmatch(values)[1])
	var want []string
	for _, row := range rows(t, values, typeRow) {
		fmt.Fprintf(&src, "\n//undergo:export\nfunc V%d(x %s) {}\n", len(want), row[1])
		want = append(want, fmt.Sprintf("export v%d: func(x: %s);", len(want), row[2]))
	}
	if len(want) < 30 {
		t.Fatalf("the table of values has %d rows", len(want))
	}
	count := len(want)
	for _, row := range rows(t, functions, typeRow) {
		fmt.Fprintf(&src, "\n//undergo:import host\nvar F%d %s\n", len(want), row[1])
		want = append(want, fmt.Sprintf("f%d: func() -> %s;", len(want), row[2]))
	}
	if len(want) < count+3 {
		t.Fatalf("the table of functions has %d rows", len(want)-count)
	}
	count = len(want)
	for _, row := range rows(t, handles, handleRow) {
		name := fmt.Sprintf("h%d", len(want))
		wit := strings.ReplaceAll(row[3], "NAME", name)
		if row[2] == "parameter" {
			fmt.Fprintf(&src, "\n//undergo:export\nfunc %s(x %s) {}\n", strings.ToUpper(name), row[1])
			want = append(want, fmt.Sprintf("%s: func(x: %s);", name, wit))
		} else {
			fmt.Fprintf(&src, "\n//undergo:export\nfunc %s() (x %s) { return }\n", strings.ToUpper(name), row[1])
			want = append(want, fmt.Sprintf("%s: func() -> %s;", name, wit))
		}
	}
	if len(want) < count+12 {
		t.Fatalf("the table of what lives longer has %d rows", len(want)-count)
	}

	module := t.TempDir()
	mod := "module example.com/types\n\ngo 1.24\n"
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "main.go"), []byte(src.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	plugin, err := parse.Plugin(module, defaultOutput, "types-of-go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[model.Kind]bool{}
	for _, t := range plugin.Used(slices.Concat(plugin.Exports, plugin.Imports)) {
		t.Walk(func(t *model.Type) { kinds[t.Kind] = true })
	}
	for kind := model.Bool; kind <= model.Variant; kind++ {
		if !kinds[kind] {
			t.Errorf("no row has a type of kind %d of the model", kind)
		}
	}
	wit := emit.WIT(plugin)
	for _, line := range want {
		if !strings.Contains(wit, "  "+line+"\n") && !strings.Contains(wit, "  export "+line+"\n") {
			t.Errorf("not in the interface: %s", line)
		}
	}
	if t.Failed() {
		t.Log(wit)
	}
}
