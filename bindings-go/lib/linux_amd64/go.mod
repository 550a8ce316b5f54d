module github.com/undergo-dev/undergo/bindings-go/lib/linux_amd64

go 1.24
