module example.com/phonenumbers

go 1.24.0

require github.com/nyaruka/phonenumbers v1.6.5

require (
	golang.org/x/exp v0.0.0-20250305212735-054e65f0b394 // indirect
	golang.org/x/text v0.23.0 // indirect
	google.golang.org/protobuf v1.36.5 // indirect
)
