// Package phrases counts words. It is a package of the plugin beside main.
package phrases

import (
	"errors"
	"strings"
)

// A Phrase is some words.
//
//undergo:resource
type Phrase struct{ words []string }

// NewPhrase takes a text apart.
//
//undergo:export
func NewPhrase(text string) (*Phrase, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, errors.New("no words")
	}
	return &Phrase{words}, nil
}

// Text puts it together.
//
//undergo:export
func (p *Phrase) Text() string { return strings.Join(p.words, " ") }

// A Mood is how a phrase sounds.
//
//undergo:enum
type Mood uint8

const (
	MoodPlain Mood = iota
	MoodLoud
)

// A Count is what was counted.
type Count struct {
	Words, Bytes int32
	Mood         Mood
	cached       bool
}

// CountWords counts those of a text.
//
//undergo:export
func CountWords(text string) Count {
	c := Count{Words: int32(len(strings.Fields(text))), Bytes: int32(len(text)), cached: true}
	if c.cached && strings.HasSuffix(text, "!") {
		c.Mood = MoodLoud
	}
	return c
}

// JoinPhrases makes one of several.
//
//undergo:export
func JoinPhrases(all []*Phrase) *Phrase {
	joined := &Phrase{}
	for _, p := range all {
		joined.words = append(joined.words, p.words...)
	}
	return joined
}
