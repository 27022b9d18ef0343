package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value prints v with three digits that count, in a fitting multiple of unit:
// "7.72 M/s", "4.03 µs", "675 B", "0.00".
func Value(v float64, unit string) string {
	switch unit {
	case "":
		return plain(v)
	case "/s":
		return scaled(v, 1000, []string{" /s", " k/s", " M/s", " G/s"})
	case "ns":
		return scaled(v, 1000, []string{" ns", " µs", " ms", " s"})
	case "B":
		return scaled(v, 1024, []string{" B", " KiB", " MiB", " GiB"})
	}
	return plain(v) + " " + unit
}

// Ratio prints a quotient: "1.32 ×".
func Ratio(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return plain(v) + " ×"
}

func scaled(v, step float64, units []string) string {
	unit := 0
	for math.Abs(v) >= step && unit < len(units)-1 {
		v /= step
		unit++
	}
	return plain(v) + units[unit]
}

// plain prints v with two decimals, one, or none, by its size.
func plain(v float64) string {
	switch size := math.Abs(v); {
	case size >= 99.95:
		return grouped(strconv.FormatFloat(v, 'f', 0, 64))
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return fmt.Sprintf("%.2f", v)
}

// grouped puts commas between groups of three digits.
func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
