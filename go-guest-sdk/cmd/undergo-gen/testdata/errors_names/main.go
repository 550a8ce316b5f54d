package main

import "image"

type UserID struct{ X int }

type User_ID struct{ X int }

type Fields2 struct {
	HTTPServer int
	Server     int `json:"http_server"`
}

type Person struct{ Name string }

//undergo:export
func DoIt(a UserID, b User_ID) {}

//undergo:export
func Do_it(f Fields2) {}

//undergo:export
func Memory() {}

//undergo:export
func Params(userID, user_id string) {}

//undergo:export
func Sixteen(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p int64) int64 { return 0 }

//undergo:export
func Use(p Person) {}

//undergo:import person
var Module func()

//undergo:import types
var Types func()

//undergo:import directory person
var Clash func(p Person)

//undergo:import directory
var Get func()

//undergo:import directory get
var Get2 func()

type Point struct{ X float64 }

//undergo:export
func Points(a Point, b image.Point) {}

type Array3_S32 struct{ X int }

//undergo:export
func Arrays(a Array3_S32, b [3]int32) {}

func main() {}
