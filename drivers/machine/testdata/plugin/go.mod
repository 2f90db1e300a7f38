module testhost

go 1.19
