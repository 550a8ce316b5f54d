module undergo.test/serving

go 1.24
