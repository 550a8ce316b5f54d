module github.com/undergo-dev/undergo/bench/programs

go 1.24.0

require (
	github.com/itchyny/gojq v0.12.20 // indirect
	github.com/itchyny/timefmt-go v0.1.9 // indirect
	github.com/yuin/goldmark v1.8.7 // indirect
)
