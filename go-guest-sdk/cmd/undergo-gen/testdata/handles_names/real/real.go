package real

type (
	String = string
	Int    = int64
	Error  = error
	Bool   = bool
)
