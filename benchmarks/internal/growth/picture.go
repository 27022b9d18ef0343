package growth

import (
	"errors"
	"image/color"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panelsPerRow is how many diagrams stand side by side.
const panelsPerRow = 3

// Picture draws a diagram for each cost, with a line for each contender and
// logarithmic axes, so that a power is a straight line. It writes SVG.
func Picture(w io.Writer, curves []Curve) error {
	var panels []*plot.Plot
	for len(curves) > 0 {
		end := slices.IndexFunc(curves, func(c Curve) bool { return c.With != curves[0].With || c.What != curves[0].What })
		if end < 0 {
			end = len(curves)
		}
		p, err := panel(curves[:end])
		if err != nil {
			return err
		}
		panels = append(panels, p)
		curves = curves[end:]
	}
	if len(panels) == 0 {
		return errors.New("growth: nothing was measured in several sizes")
	}
	var rows [][]*plot.Plot
	for row := range slices.Chunk(panels, panelsPerRow) {
		rows = append(rows, append(row, make([]*plot.Plot, panelsPerRow-len(row))...))
	}
	canvas := vgsvg.New(panelsPerRow*9*vg.Centimeter, vg.Length(len(rows))*7*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(rows), Cols: panelsPerRow, PadX: 5 * vg.Millimeter, PadY: 5 * vg.Millimeter,
		PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 2 * vg.Millimeter}
	background(draw.New(canvas))
	for i, line := range plot.Align(rows, tiles, draw.New(canvas)) {
		for j, c := range line {
			if rows[i][j] != nil {
				rows[i][j].Draw(c)
			}
		}
	}
	_, err := canvas.WriteTo(w)
	return err
}

// headroom is how many times the largest cost an axis has room for: the legend
// stands above the lines.
const headroom = 30

// background makes the picture readable on a dark page.
func background(c draw.Canvas) {
	low, high := c.Min, c.Max
	c.FillPolygon(color.White, []vg.Point{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}})
}

// panel is the diagram of one cost.
func panel(curves []Curve) (*plot.Plot, error) {
	p := plot.New()
	first := curves[0]
	p.Title.Text = first.What
	p.X.Label.Text = first.With
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks(""), ticks(first.Unit)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Millimeter
	for i, c := range curves {
		points := make(plotter.XYs, len(c.Sizes))
		for k := range points {
			points[k].X, points[k].Y = c.Sizes[k], c.Costs[k]
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, dots.Color, dots.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, dots)
		p.Legend.Add(c.Contender, line, dots)
	}
	p.Y.Max *= headroom
	return p, nil
}

// ticks marks the powers of ten with a unit of their own: 1 µs, not 1e+06.
type ticks string

func (u ticks) Ticks(low, high float64) []plot.Tick {
	all := plot.LogTicks{}.Ticks(low, high)
	for i := range all {
		if !all[i].IsMinor() {
			all[i].Label = label(all[i].Value, string(u))
		}
	}
	return all
}

// label is a power of ten in a fitting multiple of unit.
func label(v float64, unit string) string {
	prefixes := []string{"", "k", "M", "G"}
	switch unit {
	case "ns":
		prefixes, unit = []string{" n", " µ", " m", " "}, "s"
	case "%":
		prefixes = prefixes[:1]
	case "B", "/s":
		prefixes = []string{" ", " k", " M", " G"}
	}
	k := 0
	for v >= 1000 && k < len(prefixes)-1 {
		v /= 1000
		k++
	}
	return strconv.FormatFloat(v, 'g', -1, 64) + prefixes[k] + unit
}
