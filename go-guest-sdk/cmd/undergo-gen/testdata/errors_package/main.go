package library

//undergo:export
func Use() {}
