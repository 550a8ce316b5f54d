package größe

//undergo:export
func Size() int { return 1 }
