module github.com/candor-plane/candor/examples/shop

go 1.26.0
