// Config evaluates the configuration of a set of services, written in HCL. The
// Go types below are its schema, and what the host gets, at once.
package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Deployment is a whole configuration.
type Deployment struct {
	Region   string            `hcl:"region"`
	Labels   map[string]string `hcl:"labels,optional"`
	Services []Service         `hcl:"service,block"`
}

// Service is a block `service "name" { … }`.
type Service struct {
	Name     string            `hcl:"name,label"`
	Image    string            `hcl:"image"`
	Replicas *int              `hcl:"replicas,optional"`
	Command  []string          `hcl:"command,optional"`
	Env      map[string]string `hcl:"env,optional"`
	Health   *Health           `hcl:"health,block"`
}

// Health says how a service is asked whether it is well.
type Health struct {
	Path    string  `hcl:"path"`
	Port    int     `hcl:"port"`
	Seconds float64 `hcl:"seconds,optional"`
}

// Severity is how bad it is.
//
//undergo:enum
type Severity int

// The severities.
const (
	SeverityError   = Severity(hcl.DiagError)
	SeverityWarning = Severity(hcl.DiagWarning)
)

// Diagnostic is something that is wrong with a configuration, and where.
type Diagnostic struct {
	Severity Severity
	Summary  string
	Detail   string
	Line     int // from 1; 0 when it has no place
	Column   int // from 1, in characters
	Excerpt  string
}

// Source is a file of the configuration, and what it can refer to.
type Source struct {
	File      string
	Text      string
	Variables map[string]any // what var.NAME stands for
	Functions []string       // functions of the host, by name
}

// Evaluate gives the configuration that the source stands for.
//
//undergo:export
func Evaluate(source Source) (Deployment, error) {
	deployment, diagnostics := evaluate(source)
	if !diagnostics.HasErrors() {
		return deployment, nil
	}
	var lines []string
	for _, diagnostic := range diagnostics {
		lines = append(lines, diagnostic.Error())
	}
	return Deployment{}, errors.New(strings.Join(lines, "\n"))
}

// Check gives all that is wrong with the source.
//
//undergo:export
func Check(source Source) []Diagnostic {
	_, found := evaluate(source)
	result := []Diagnostic{}
	for _, d := range found {
		made := Diagnostic{Severity: Severity(d.Severity), Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			made.Line, made.Column = d.Subject.Start.Line, d.Subject.Start.Column
			made.Excerpt = excerpt(source.Text, *d.Subject)
		}
		result = append(result, made)
	}
	return result
}

func evaluate(source Source) (deployment Deployment, diagnostics hcl.Diagnostics) {
	file, diagnostics := hclsyntax.ParseConfig([]byte(source.Text), source.File, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return deployment, diagnostics
	}
	variables, err := fromJSON(source.Variables)
	if err != nil {
		return deployment, append(diagnostics, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Bad variables", Detail: err.Error()})
	}
	context := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": variables},
		Functions: functions(source.Functions),
	}
	return deployment, append(diagnostics, causes(gohcl.DecodeBody(file.Body, context, &deployment))...)
}

// causes gives diagnostics in the order of the source: gohcl goes over maps. It
// leaves out those that only follow from others: what an expression with an
// error stands for is unknown, which gohcl reports once more.
func causes(all hcl.Diagnostics) hcl.Diagnostics {
	slices.SortStableFunc(all, func(a, b *hcl.Diagnostic) int {
		return cmp.Compare(offset(a), offset(b))
	})
	return slices.DeleteFunc(all, func(d *hcl.Diagnostic) bool {
		return strings.HasSuffix(d.Detail, "value must be known")
	})
}

func offset(d *hcl.Diagnostic) int {
	if d.Subject == nil {
		return 0
	}
	return d.Subject.Start.Byte
}

// excerpt is the text of a range, at most to the end of its first line.
func excerpt(text string, at hcl.Range) string {
	if !at.CanSliceBytes([]byte(text)) {
		return ""
	}
	line, _, _ := strings.Cut(string(at.SliceBytes([]byte(text))), "\n")
	return line
}

func main() {}
