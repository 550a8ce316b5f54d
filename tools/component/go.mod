module example.com/component

go 1.24
