//go:build wasip1 && go1.24

package undergo

// text refers to the plugin's interface, so that the linker keeps it.
var text string

// Interface keeps the text of the plugin's interface in the module, where hosts
// look for it. The glue calls it once, from the initializer of a variable.
func Interface(t string) bool {
	text = t
	return true
}
