package real

type (
	String = string
	Int    = int
	Bool   = bool
	Error  = error
	Byte   = byte
)
