// Package databases has tests of drivers that are in wide use, unchanged, with servers that are
// there already: their addresses are flags, as the tests of a WebAssembly program see no
// environment.
package databases
