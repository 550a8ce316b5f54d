package undergo

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain sees that the tests leave no goroutine, and nothing of Go's that the library holds.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leftovers(); left != "" {
			fmt.Fprintln(os.Stderr, left)
			code = 1
		}
	}
	os.Exit(code)
}

func leftovers() string {
	// What nobody has any more is freed by the collector, in time.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		if runtime.NumGoroutine() <= 1 && held() == 0 {
			return ""
		}
		if time.Now().After(deadline) {
			break
		}
	}
	stacks := make([]byte, 1<<20)
	return fmt.Sprintf("the library holds %d objects, and there are goroutines left:\n%s", held(), stacks[:runtime.Stack(stacks, true)])
}
