package main

import "iter"

// OfPlugin has items that are the plugin's own.
//
//undergo:export
func OfPlugin(xs iter.Seq[*Document]) {}

// A Document is one.
//
//undergo:resource
type Document struct{}

type UnfitItems struct{ X int }

//undergo:export
func Taken(u UnfitItems) {}

//undergo:export unfit
func Named() iter.Seq[int] { return nil }

//undergo:export
func KeptInVain(xs iter.Seq[int], s string) {}

func main() {}
