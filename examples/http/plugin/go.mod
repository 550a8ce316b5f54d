module example.com/http

go 1.24

require github.com/undergo-dev/undergo/go-guest-sdk v0.1.0

replace github.com/undergo-dev/undergo/go-guest-sdk => ../../../go-guest-sdk
