package objects

// A Canvas is a resource here.
//
//undergo:resource
type Canvas struct{}

// Canvas_ has its name.
//
//undergo:export canvas
func Other(c *Canvas) {}
