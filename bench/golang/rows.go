package main

import (
	"fmt"
	"slices"
	"time"
)

// rows is a table, as docs have it.
type rows struct {
	// held says whether all bounds did.
	held bool
}

func table(heading string) *rows {
	fmt.Printf("\n| %s | against | Undergo | the other | ratio | bound |\n| --- | --- | --- | --- | --- | --- |\n", heading)
	return &rows{true}
}

// bound says whether a row holds, and of what.
type bound func(ours, theirs float64) (bool, string)

func atMost(time time.Duration) bound {
	return func(ours, _ float64) (bool, string) { return ours <= float64(time), "≤ " + short(float64(time)) }
}

func within(ratio float64) bound {
	return func(ours, theirs float64) (bool, string) {
		return ours <= ratio*theirs, fmt.Sprintf("≤ %.1f ×", ratio)
	}
}

// compare measures both in turns, and prints the medians: each function is run that many times in a
// turn, and does its thing per times.
func (r *rows) compare(what, peer string, bound bound, count, per int, ours, theirs func()) {
	const rounds = 15
	var times [2][]float64
	for range rounds {
		for i, call := range []func(){ours, theirs} {
			start := time.Now()
			for range count {
				call()
			}
			times[i] = append(times[i], float64(time.Since(start))/float64(count*per))
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	a, b := times[0][rounds/2], times[1][rounds/2]
	holds, said := true, "—"
	if bound != nil {
		holds, said = bound(a, b)
	}
	r.held = r.held && holds
	if !holds {
		said += ", **missed**"
	}
	fmt.Printf("| %s | %s | %s | %s | %.2f × | %s |\n", what, peer, short(a), short(b), a/b, said)
}

// short writes nanoseconds with three digits.
func short(nanoseconds float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if nanoseconds >= unit.size {
			return fmt.Sprintf("%.3g %s", nanoseconds/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.0f ns", nanoseconds)
}
