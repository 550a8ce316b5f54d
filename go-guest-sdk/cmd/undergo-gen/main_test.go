package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/emit"
)

var update = flag.Bool("update", false, "write the golden files")

const sdkModule = "github.com/undergo-dev/undergo/go-guest-sdk"

// TestGolden runs the generator on each directory of testdata. A directory has
// Go files, and either errors.golden, or glue.golden and wit.golden. What is
// accepted has to compile.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) { golden(t, dir) })
	}
}

func golden(t *testing.T, dir string) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	t.Chdir(module)
	copyCase(t, dir, module)

	err = run(".", "", "interface.wit", "", "", emit.SDK, false)
	if err != nil {
		compare(t, filepath.Join(dir, "errors.golden"), []byte(err.Error()+"\n"))
		if _, err := os.Stat(defaultOutput); err == nil {
			t.Error("glue was written in spite of errors")
		}
		return
	}
	if filepath.Base(dir) == "nothing" {
		if _, err := os.Stat(defaultOutput); err == nil {
			t.Error("glue was written for a plugin without directives")
		}
		return
	}
	glue := read(t, defaultOutput)
	compare(t, filepath.Join(dir, "glue.golden"), glue)
	compare(t, filepath.Join(dir, "wit.golden"), read(t, "interface.wit"))

	// The glue of the first run lies in the directory now, and changes nothing.
	if err := run(".", "", "", "", "", emit.SDK, false); err != nil {
		t.Fatal("second run: ", err)
	}
	if !bytes.Equal(glue, read(t, defaultOutput)) {
		t.Error("two runs give different glue")
	}
	if testing.Short() {
		return
	}
	for _, args := range [][]string{{"build", "-buildmode=c-shared", "-o", "plugin.wasm", "."}, {"vet", "."}} {
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

// TestEnumsAtTheirBounds makes glue for enums whose discriminants just have room,
// and just have none, for one more case.
func TestEnumsAtTheirBounds(t *testing.T) {
	for _, n := range []int{255, 256, 257, 65535, 65536, 65537} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { enumOf(t, n) })
	}
}

func enumOf(t *testing.T, n int) {
	if testing.Short() && n > 257 {
		t.Skip("takes seconds")
	}
	var src strings.Builder
	src.WriteString("package main\n\nfunc main() {}\n\n//undergo:enum\ntype E uint32\n\nconst (\n\tEC0 E = iota\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&src, "\tEC%d\n", i)
	}
	src.WriteString(")\n\n//undergo:export\nfunc F(e E, in []E) ([]E, error) { return in, nil }\n\n//undergo:export\nfunc G() E { return 0 }\n")
	generate(t, src.String())
	_, cases, _ := strings.Cut(string(read(t, "interface.wit")), "enum e {")
	cases, _, _ = strings.Cut(cases, "}")
	if got := len(strings.Split(strings.Trim(cases, " \n,"), ",")); got != n {
		t.Errorf("%d cases are in the interface", got)
	}
	full := bytes.Contains(read(t, defaultOutput), []byte(`BadFullEnum("E"`))
	if want := n == 256 || n == 65536; full != want {
		t.Errorf("each number is a case: %t, want %t", full, want)
	}
	build(t)
}

// TestVariantsAtTheirBounds makes glue for variants whose discriminants just have
// room, and just have none, for one more case.
func TestVariantsAtTheirBounds(t *testing.T) {
	for _, n := range []int{256, 257} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var src strings.Builder
			src.WriteString("package main\n\nfunc main() {}\n\n//undergo:variant\ntype V interface{ isV() }\n\n")
			for i := range n {
				fmt.Fprintf(&src, "type C%d int8\n\nfunc (C%d) isV() {}\n\n", i, i)
			}
			src.WriteString("//undergo:export\nfunc F(v V, in []V) (V, []V) { return v, in }\n")
			generate(t, src.String())
			glue := read(t, defaultOutput)
			if full := bytes.Contains(glue, []byte(`BadFullCase("V"`)); full != (n == 256) {
				t.Errorf("each number is a case: %t", full)
			}
			tag := map[int]string{256: "*(*uint8)(p) = 255", 257: "*(*uint16)(p) = 256"}[n]
			if !bytes.Contains(glue, []byte(tag)) {
				t.Errorf("the last case is not stored by %s", tag)
			}
			build(t)
		})
	}
}

// TestManyMethods makes glue for more methods than anybody writes, and for records each
// of which has the one before twice, down to a resource in its own methods.
func TestManyMethods(t *testing.T) {
	const methods, deep = 10_000, 40
	var src strings.Builder
	src.WriteString("package main\n\nfunc main() {}\n\n//undergo:resource\n//undergo:export\ntype T struct{}\n\ntype R0 struct{ A, B *T }\n\n")
	for i := range deep {
		fmt.Fprintf(&src, "type R%d struct{ A []R%d; B *R%d }\n\n", i+1, i, i)
	}
	for i := range methods {
		fmt.Fprintf(&src, "func (t *T) M%d(n int, other *T) []*T { return nil }\n\n", i)
	}
	fmt.Fprintf(&src, "func (t *T) Deep(f func() int, rs []R%d) (*T, error) { return t, nil }\n", deep)
	generate(t, src.String())
	if got := strings.Count(string(read(t, "interface.wit")), "list<t>;"); got != methods {
		t.Errorf("%d methods are in the interface", got)
	}
}

// generate makes a module of that source, and its glue.
func generate(t *testing.T, src string) {
	t.Helper()
	module := t.TempDir()
	copyCase(t, filepath.Join("testdata", "enums"), module)
	if err := os.WriteFile(filepath.Join(module, "main.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(module)
	if err := run(".", "", "interface.wit", "places", "", emit.SDK, false); err != nil {
		t.Fatalf("%.200v", err)
	}
}

func TestPlaces(t *testing.T) {
	generate(t, "package main\n\nfunc main() {}\n\n//undergo:resource\ntype Page struct{}\n\n//undergo:export\nfunc (p *Page) TextOf() string { return \"\" }\n\n"+
		"//undergo:import directory\nvar Lookup func(name string) string\n\n//undergo:export get-page\nfunc Fetch() *Page { return nil }\n")
	want := "[method]page.text-of\tmain.go:9\nget-page\tmain.go:15\nlookup\tmain.go:12\n"
	if got := string(read(t, "places")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// build compiles the module of the current directory.
func build(t *testing.T) {
	t.Helper()
	if testing.Short() {
		return
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", "plugin.wasm", ".")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%.2000s", err, out)
	}
}

// copyCase makes a module of the case: its Go files, and the SDK as it is here.
func copyCase(t *testing.T, dir, module string) {
	t.Helper()
	if err := os.CopyFS(module, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	sdk, err := filepath.Abs(filepath.Join(dir, "..", "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	mod := "module example.com/acme/" + filepath.Base(dir) + "/v2\n\ngo 1.24\n\nrequire " + sdkModule + " v0.0.0\n\nreplace " + sdkModule + " => " + sdk + "\n"
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; got:\n%s", err, got)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: differs, see with -update and git diff; got:\n%s", filepath.Base(file), firstDifference(got, want))
	}
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "one is longer than the other"
}
