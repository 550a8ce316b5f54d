// Package empty has no name.
//
//undergo:interface no-name
package empty
