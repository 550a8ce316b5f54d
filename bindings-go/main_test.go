package undergo

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain sees that the tests leave no goroutine, no handle of the library, and nothing of Go's
// that the library holds.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := leftovers(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func leftovers() error {
	if err := goleak.Find(); err != nil {
		return err
	}
	// What nobody has any more is freed by the collector, in time.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		if handles.Load() == 0 && held() == 0 {
			return nil
		}
	}
	return fmt.Errorf("there are %d handles left, and the library holds %d objects", handles.Load(), held())
}
