module github.com/protocluster/workshop/slides

go 1.26.0

tool golang.org/x/tools/cmd/present

require golang.org/x/tools v0.52.0

require (
	github.com/yuin/goldmark v1.4.13 // indirect
	golang.org/x/net v0.61.0 // indirect
)
