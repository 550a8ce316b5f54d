module github.com/undergo-dev/undergo/conformance/services

go 1.24
