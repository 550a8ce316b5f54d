// Phonenumbers normalises phone numbers with a Go port of Google's
// libphonenumber, of which no line is changed.
package main

import "github.com/nyaruka/phonenumbers"

// Normalize gives each number as E.164 writes it, such as +4915123456789, and
// an empty text for what is no valid number. Numbers without a prefix of a
// country are those of the region, such as "DE".
//
//undergo:export
func Normalize(numbers []string, region string) []string {
	normal := make([]string, len(numbers))
	for i, number := range numbers {
		parsed, err := phonenumbers.Parse(number, region)
		if err == nil && phonenumbers.IsValidNumber(parsed) {
			normal[i] = phonenumbers.Format(parsed, phonenumbers.E164)
		}
	}
	return normal
}

func main() {}
