package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text prints the table with its columns aligned.
func Text(w io.Writer, rows []Row) error {
	rows = append([]Row{Columns}, rows...)
	widths := make([]int, len(Columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
