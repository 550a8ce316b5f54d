module github.com/undergo-dev/undergo/bench/bare

go 1.24
