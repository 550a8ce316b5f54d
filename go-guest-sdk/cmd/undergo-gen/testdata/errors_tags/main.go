package main

type Fields struct {
	Number int    `json:"2nd"`
	Größe  int    // no ASCII
	Done   func() `undergo:"-"`
	Wait   func()
}

//undergo:export
func Use(f []Fields) (int, map[string]*Fields, error) { return 0, nil, nil }

func main() {}
