package model

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// A Problem is something in the plugin that the generator can't map.
type Problem struct {
	Pos  token.Position
	Text string
}

// Problems are all problems of a plugin.
type Problems []Problem

// Add adds a problem.
func (ps *Problems) Add(pos token.Position, format string, args ...any) {
	*ps = append(*ps, Problem{pos, fmt.Sprintf(format, args...)})
}

// Err is nil without problems.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Error lists the problems in the order of the source, one per line.
func (ps Problems) Error() string {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	sorted = slices.Compact(sorted)
	lines := make([]string, len(sorted))
	for i, p := range sorted {
		lines[i] = p.Text
		if p.Pos.IsValid() {
			p.Pos.Filename = relative(p.Pos.Filename)
			lines[i] = p.Pos.String() + ": " + p.Text
		}
	}
	return strings.Join(lines, "\n")
}

// Line is the file and line of pos.
func Line(pos token.Position) string { return fmt.Sprintf("%s:%d", relative(pos.Filename), pos.Line) }

// relative is the path of a file as someone in the current directory writes it.
func relative(file string) string {
	wd, err := filepath.Abs(".")
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(wd, file); err == nil && len(rel) < len(file) {
		return filepath.ToSlash(rel)
	}
	return file
}
