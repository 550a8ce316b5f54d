package main

import "example.com/nowhere/missing"

//undergo:export
func Use(a missing.Type, b Undefined) {}

func main() {}
