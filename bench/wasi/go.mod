module github.com/undergo-dev/undergo/bench/wasi

go 1.24
