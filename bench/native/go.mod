module github.com/undergo-dev/undergo/bench/native

go 1.24
