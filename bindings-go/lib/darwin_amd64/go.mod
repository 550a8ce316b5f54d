module github.com/undergo-dev/undergo/bindings-go/lib/darwin_amd64

go 1.24
