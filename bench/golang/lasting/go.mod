module lasting

go 1.24
