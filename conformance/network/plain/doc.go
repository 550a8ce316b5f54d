// Package plain has tests of what programs do with the standard library's network alone. They hold
// on every system, and are run on WASI to show that they hold there.
package plain
