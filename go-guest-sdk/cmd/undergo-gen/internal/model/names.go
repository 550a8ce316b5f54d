package model

import (
	"regexp"
	"strings"
)

// Kebab is the WIT name of the Go name s: UserID is user-id, HTTPServer is
// http-server, snake_case is snake-case. A word starts with a letter: Vec3D is
// vec3d, V_2 is v2.
func Kebab(s string) string {
	var b strings.Builder
	boundary := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_' || c == '-' || c == '.' || c == ' ':
			boundary = b.Len() > 0
			continue
		case upper(c):
			if i > 0 && (lower(s[i-1]) || alnum(s[i-1]) && i+1 < len(s) && lower(s[i+1])) {
				boundary = true
			}
			c += 'a' - 'A'
		case !lower(c):
			boundary = false
		}
		if boundary && b.Len() > 0 {
			b.WriteByte('-')
		}
		boundary = false
		b.WriteByte(c)
	}
	return b.String()
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }
func alnum(c byte) bool { return upper(c) || lower(c) || digit(c) }

// IsKebab says that s can be a WIT name.
func IsKebab(s string) bool {
	for word := range strings.SplitSeq(s, "-") {
		if word == "" || !lower(word[0]) {
			return false
		}
		for i := range len(word) {
			if !lower(word[i]) && !digit(word[i]) {
				return false
			}
		}
	}
	return true
}

// foreign is the whole name of an interface: its package with a namespace, and perhaps a version.
var foreign = regexp.MustCompile(`^([a-z0-9-]+):([a-z0-9-]+)/([a-z0-9-]+)(@[0-9A-Za-z.+-]+)?$`)

// version is one by semver.org, of a length that people write.
var version = regexp.MustCompile(`^@(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// Foreign takes the whole name of an interface apart, such as wasi:keyvalue/store@0.2.0: its
// package as WIT text has it, with the version, and its own name. It says whether id is one.
func Foreign(id string) (pkg, name string, ok bool) {
	m := foreign.FindStringSubmatch(id)
	if m == nil || len(id) > 256 || !IsKebab(m[1]) || !IsKebab(m[2]) || !IsKebab(m[3]) || m[4] != "" && !version.MatchString(m[4]) {
		return "", "", false
	}
	return Escape(m[1]) + ":" + Escape(m[2]) + m[4], m[3], true
}

// keywords are the words of WIT that mean something else where a name is expected.
var keywords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`as async bool borrow char constructor enum error-context export f32 f64
		flags from func future import include interface list map option own package record resource result
		s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use variant with world`) {
		keywords[w] = true
	}
}

// Escape is the WIT name s as WIT text has it.
func Escape(s string) string {
	if keywords[s] {
		return "%" + s
	}
	return s
}
