package main

import (
	"context"
	"iter"
	"time"
)

// Words are the words of a text.
//
//undergo:export
func Words(text string) iter.Seq[string] { return nil }

// Numbers are in a named type.
type Numbers iter.Seq[int]

// Squares fails for a negative number.
//
//undergo:export
func Squares(ctx context.Context, n int) (Numbers, error) { return nil, nil }

// Two gives two iterators.
//
//undergo:export
func Two() (iter.Seq[bool], iter.Seq[*Point]) { return nil, nil }

// A Point lies as it does in WIT.
type Point struct{ X, Y float64 }

// Pairs have a key and a value.
//
//undergo:export
func Pairs(n int) iter.Seq2[int32, Point] { return nil }

// Events have values that don't lie as they do in WIT.
//
//undergo:export
func Events() iter.Seq2[time.Time, []string] { return nil }

// Sum takes an iterable.
//
//undergo:export
func Sum(xs iter.Seq[int]) int { return 0 }

// Merge takes two, one of them of pairs.
//
//undergo:export
func Merge(named iter.Seq2[string, [2]int], plain iter.Seq[Shape]) (map[string]int, error) {
	return nil, nil
}

// Watch keeps what it gets.
//
//undergo:export
//undergo:keep xs
func Watch(xs iter.Seq[Point], flag bool) {}

// A Shape is a variant.
//
//undergo:variant
type Shape interface{ isShape() }

type Circle struct{ Radius float64 }

func (Circle) isShape() {}

// A Shelf has documents.
//
//undergo:resource
type Shelf struct{}

// Batch is a name that iterators need.
type Batch struct{ Size int }

// Each gives objects of the plugin.
//
//undergo:export
func (s *Shelf) Each() iter.Seq[*Shelf] { return nil }

// Fill takes an iterable.
//
//undergo:export
func (s *Shelf) Fill(batches iter.Seq[Batch]) {}

// Stores gives objects of the host.
//
//undergo:resource import
type Store interface {
	Get(key string) (string, error)
}

// Look takes an iterable of objects of the host.
//
//undergo:export
func Look(stores iter.Seq[Store]) {}

func main() {}
