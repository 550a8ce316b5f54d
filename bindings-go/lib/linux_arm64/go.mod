module github.com/undergo-dev/undergo/bindings-go/lib/linux_arm64

go 1.24
