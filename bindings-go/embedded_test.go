//go:build !undergo_cgo

package undergo

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func packing(t *testing.T, content string) packed {
	var made bytes.Buffer
	writer := gzip.NewWriter(&made)
	if _, err := writer.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed(made.String())
}

func TestLibraryInAFolder(t *testing.T) {
	const content = "what the system would load"
	p, folder := packing(t, content), t.TempDir()
	path, err := p.file(folder)
	if err != nil {
		t.Fatal(err)
	}
	check := func() os.FileInfo {
		t.Helper()
		found, err := os.ReadFile(path)
		if err != nil || string(found) != content {
			t.Errorf("%q, %v", found, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o500 {
			t.Error(info, err)
		}
		if all, err := os.ReadDir(filepath.Dir(path)); len(all) != 1 || err != nil {
			t.Error(all, err)
		}
		return info
	}
	first := check()
	if again, err := p.file(folder); again != path || err != nil || !os.SameFile(first, check()) {
		t.Error(again, err)
	}
	if other, err := packing(t, "another").file(folder); other == path || err != nil {
		t.Error(other, err)
	}
	// What is not whole is written again.
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	if again, err := p.file(folder); again != path || err != nil {
		t.Error(again, err)
	}
	check()
	// What others can write is not loaded.
	if err := os.Chmod(path, 0o702); err != nil {
		t.Fatal(err)
	}
	if _, err := p.file(folder); err == nil {
		t.Error("the file was taken")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", path); err != nil {
		t.Fatal(err)
	}
	if _, err := p.file(folder); err == nil {
		t.Error("the link was taken")
	}
	if err := os.Chmod(filepath.Dir(path), 0o720); err != nil {
		t.Fatal(err)
	}
	if _, err := p.file(folder); err == nil {
		t.Error("the folder was taken")
	}
}

func TestLibraryInMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there are no files in memory on", runtime.GOOS)
	}
	const content = "what the system would load"
	path, undo, err := packing(t, content).memory()
	if err != nil {
		t.Fatal(err)
	}
	defer undo()
	if found, err := os.ReadFile(path); err != nil || string(found) != content {
		t.Errorf("%q, %v", found, err)
	}
	if err := os.Truncate(path, 1); err == nil {
		t.Error("it can be cut off")
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.Write([]byte("another"))
		_ = file.Close()
	}
	if err == nil {
		t.Error("it can be written")
	}
	if _, _, err := packed("no such format").memory(); err == nil {
		t.Error("it was unpacked")
	}
}
