module github.com/undergo-dev/undergo/conformance/command

go 1.24
