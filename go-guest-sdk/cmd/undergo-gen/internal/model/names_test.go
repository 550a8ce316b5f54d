package model

import "testing"

func TestKebab(t *testing.T) {
	for name, want := range map[string]string{
		"UserID": "user-id", "HTTPServer": "http-server", "snake_case": "snake-case", "Vec3D": "vec3d", "V_2": "v2",
		"EchoInt8s": "echo-int8s", "Base64Encode": "base64-encode", "minorUnits": "minor-units", "X": "x", "a": "a",
		"_private": "private", "trailing_": "trailing", "double__under": "double-under", "ABC": "abc", "iso-code": "iso-code",
		"GetHTTPStatus2": "get-http-status2", "JSON": "json", "aB": "a-b", "UserIDs": "user-i-ds",
	} {
		if got := Kebab(name); got != want {
			t.Errorf("Kebab(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestIsKebab(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "a-b2": true, "": false, "-a": false, "a-": false, "a--b": false, "a-2": false, "2a": false, "A": false,
		"ü": false, "a_b": false,
	} {
		if got := IsKebab(name); got != want {
			t.Errorf("IsKebab(%q) = %v", name, got)
		}
	}
}
