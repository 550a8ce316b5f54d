package main

import "example.com/acme/predeclared/v2/real"

type (
	string_ = real.String
	int_    = real.Int
	bool_   = real.Bool
	error_  = real.Error
	byte_   = real.Byte
)
