module github.com/undergo-dev/undergo/bindings-go/lib/darwin_arm64

go 1.24
