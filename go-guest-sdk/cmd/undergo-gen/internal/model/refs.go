package model

import "strings"

// The Go expression of a type refers to packages and to predeclared types by
// what they are. Which names stand for them is the business of the file that the
// expression is written to, which then knows, too, what it has to import.

// Ref is how an expression refers to the package of that path, whose own name is
// name; without a path, to the predeclared identifier of that name.
func Ref(path, name string) string { return "\x00" + path + "\x00" + name + "\x00" }

// SDK is how an expression refers to the package of the SDK of that name. Where the
// SDK is, the file knows.
func SDK(name string) string { return Ref(sdk+name, name) }

const sdk = "sdk:"

// OfSDK is the name of the package of the SDK that path stands for, if it does.
func OfSDK(path string) (name string, ok bool) { return strings.CutPrefix(path, sdk) }

// Expand is the expression with local's name in the place of each reference.
func Expand(expr string, local func(path, name string) string) string {
	parts := strings.Split(expr, "\x00")
	var b strings.Builder
	b.WriteString(parts[0])
	for i := 1; i+2 < len(parts); i += 3 {
		b.WriteString(local(parts[i], parts[i+1]))
		b.WriteString(parts[i+2])
	}
	return b.String()
}

// Shown is the Go expression of t as people write it.
func (t *Type) Shown() string {
	return Expand(t.Go, func(_, name string) string { return name })
}

// Shown is the Go type of r as people write it.
func (r *Resource) Shown() string {
	return Expand(r.Go, func(_, name string) string { return name })
}
