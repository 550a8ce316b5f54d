module github.com/undergo-dev/undergo/bindings-go

go 1.24

require (
	github.com/ebitengine/purego v0.10.0
	github.com/undergo-dev/undergo/bindings-go/lib/darwin_amd64 v0.1.0
	github.com/undergo-dev/undergo/bindings-go/lib/darwin_arm64 v0.1.0
	github.com/undergo-dev/undergo/bindings-go/lib/linux_amd64 v0.1.0
	github.com/undergo-dev/undergo/bindings-go/lib/linux_arm64 v0.1.0
	go.uber.org/goleak v1.3.0
)

// Within the repository. It does not count for programs.
replace (
	github.com/undergo-dev/undergo/bindings-go/lib/darwin_amd64 => ./lib/darwin_amd64
	github.com/undergo-dev/undergo/bindings-go/lib/darwin_arm64 => ./lib/darwin_arm64
	github.com/undergo-dev/undergo/bindings-go/lib/linux_amd64 => ./lib/linux_amd64
	github.com/undergo-dev/undergo/bindings-go/lib/linux_arm64 => ./lib/linux_arm64
)
