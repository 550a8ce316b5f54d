//go:build !undergo_cgo

package undergo

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// packing packs the content in two parts.
func packing(t *testing.T, content string) packed {
	var made bytes.Buffer
	for _, piece := range []string{content[:3], content[3:]} {
		var part bytes.Buffer
		writer := gzip.NewWriter(&part)
		if _, err := writer.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		made.Write(binary.LittleEndian.AppendUint32(nil, uint32(part.Len())))
		made.Write(part.Bytes())
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
	// Nothing refers to it any more.
	runtime.GC()
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
	whole := packing(t, content)
	for _, damaged := range []packed{"no such format", whole[:len(whole)-1], whole[:3], whole + "x", whole[:18] + "xxxx" + whole[22:], "\x05\x00\x00\x00short"} {
		if _, _, err := damaged.memory(); err == nil {
			t.Errorf("%q was unpacked", damaged)
		}
		if _, err := damaged.file(t.TempDir()); err == nil {
			t.Errorf("%q was unpacked", damaged)
		}
	}
}
