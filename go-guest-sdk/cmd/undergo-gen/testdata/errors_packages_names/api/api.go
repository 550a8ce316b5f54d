package api

// A Canvas is a struct here.
type Canvas struct{ N int }

//undergo:export
func Put(c Canvas) {}
