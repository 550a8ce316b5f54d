package inner

// Id is a type of a package without exports.
//
//undergo:enum
type Id int

const (
	One Id = 1
	Two Id = 2
)
