package same

type Same struct{ N int }

//undergo:export
func Get() {}
