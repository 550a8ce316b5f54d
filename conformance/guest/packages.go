package main

import "github.com/undergo-dev/undergo/conformance/guest/phrases"

// CountPhrase takes what another package has.
//
//undergo:export
func CountPhrase(p *phrases.Phrase) phrases.Count { return phrases.CountWords(p.Text()) }

// A Quote has a phrase of another package.
type Quote struct {
	Phrase *phrases.Phrase
	Tally  *Tally
}

// QuoteOf puts both into one.
//
//undergo:export
func QuoteOf(text string, start int64) (Quote, error) {
	p, err := phrases.NewPhrase(text)
	return Quote{p, &Tally{value: start}}, err
}
