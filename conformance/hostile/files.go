package main

import (
	"fmt"
	"os"
)

// Files does something with files, which the sandbox may forbid.
//
//undergo:export
func Files(what, path, other string) (string, error) {
	switch what {
	case "read":
		b, err := os.ReadFile(path)
		return string(b), err
	case "write":
		return "", os.WriteFile(path, []byte(other), 0o600)
	case "append":
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		_, err = f.WriteString(other)
		return "", err
	case "truncate":
		return "", os.Truncate(path, 0)
	case "remove":
		return "", os.Remove(path)
	case "rename":
		return "", os.Rename(path, other)
	case "mkdir":
		return "", os.Mkdir(path, 0o700)
	case "link":
		return "", os.Link(path, other)
	case "symlink":
		return "", os.Symlink(path, other)
	case "seek":
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		_, err = f.Seek(0, 99)
		return "", err
	case "flood":
		for {
			f, err := os.Open(path)
			if err != nil {
				return err.Error(), nil
			}
			flood = append(flood, f)
		}
	case "list":
		entries, err := os.ReadDir(path)
		return fmt.Sprint(entries), err
	}
	return "", fmt.Errorf("no such thing: %s", what)
}

// flood keeps the files that are opened until there are no descriptors left.
var flood []*os.File

// Environment is all that the plugin has of one, and its arguments.
//
//undergo:export
func Environment() ([]string, []string) { return os.Environ(), os.Args[1:] }
