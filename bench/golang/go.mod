module bench

go 1.24

require (
	github.com/tetratelabs/wazero v1.9.0
	github.com/undergo-dev/undergo/bindings-go v0.1.0
)

replace github.com/undergo-dev/undergo/bindings-go => ../../bindings-go
