// Package report shows results: as lines of text, and as the page that is kept.
//
// row.go makes rows of results, which text.go and page.go print; value.go prints
// a number with its unit, machine.go says where it was measured.
package report
