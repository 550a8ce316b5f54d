module github.com/undergo-dev/undergo/bench/extism

go 1.24
