module bench

go 1.24

require (
	github.com/knqyf263/go-plugin v0.9.0
	github.com/tetratelabs/wazero v1.9.0
	github.com/undergo-dev/undergo/bindings-go v0.1.0
)
