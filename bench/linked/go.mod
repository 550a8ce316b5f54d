module github.com/undergo-dev/undergo/bench/linked

go 1.24
