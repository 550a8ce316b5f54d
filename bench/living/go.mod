module github.com/undergo-dev/undergo/bench/living

go 1.24
