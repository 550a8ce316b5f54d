module github.com/undergo-dev/undergo/bench/plugin

go 1.24
