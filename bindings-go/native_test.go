package undergo

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// A program that is linked with the library finds the functions that C's code lists. The others
// look them up by the names of the fields.
func TestWhatIsLinkedIsWhatIsCalled(t *testing.T) {
	source, err := os.ReadFile("internal/linked/linked.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed, called []string
	for _, name := range regexp.MustCompile(`\bX\((\w+)\)`).FindAllSubmatch(source, -1) {
		listed = append(listed, string(name[1]))
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[native]()) {
		called = append(called, field.Name)
	}
	slices.Sort(listed)
	slices.Sort(called)
	if len(called) == 0 || !slices.Equal(listed, called) {
		t.Errorf("linked are %v, called %v", listed, called)
	}
}
