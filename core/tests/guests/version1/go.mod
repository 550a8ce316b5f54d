module example.com/version1

go 1.24

require github.com/undergo-dev/undergo/go-guest-sdk v0.1.0
