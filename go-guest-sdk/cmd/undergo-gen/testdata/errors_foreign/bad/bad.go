// Package bad is two.
//
//undergo:interface a:b/good@1.0.0
//undergo:interface a:b/bad
package bad

import "example.com/acme/errors_foreign/v2/good"

//undergo:import
var Take func(rs []good.R) error
