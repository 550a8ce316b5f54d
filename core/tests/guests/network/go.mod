module example.com/network

go 1.24.0

require github.com/stealthrocket/net v0.2.1
