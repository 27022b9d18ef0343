// Each member has a colour and a shape, so that nobody has to tell colours apart.
const corners = (n, turn) => Array.from({ length: n }, (_, i) => {
  const a = turn + (i * 2 * Math.PI) / n;
  return [Math.cos(a), Math.sin(a)];
});
const star = (n, inner) => corners(2 * n, -Math.PI / 2).map(([x, y], i) => (i % 2 ? [x * inner, y * inner] : [x, y]));
const polygons = [
  corners(24, 0), // a circle
  corners(4, Math.PI / 4).map(([x, y]) => [x * 1.15, y * 1.15]), // a square
  corners(3, -Math.PI / 2).map(([x, y]) => [x * 1.2, y * 1.2 + 0.15]), // a triangle
  corners(4, 0).map(([x, y]) => [x * 1.15, y * 1.15]), // a diamond
  corners(3, Math.PI / 2).map(([x, y]) => [x * 1.2, y * 1.2 - 0.15]), // a triangle upside down
  corners(6, 0).map(([x, y]) => [x * 1.05, y * 1.05]), // a hexagon
  star(5, 0.45),
  [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]], // a plus
];

// From the ninth member on colours come again, with another shape.
export const shapeOf = (number) => polygons[(number + 3 * Math.floor(number / 8)) % 8];

export function trace(path, number, x, y, r) {
  shapeOf(number).forEach(([dx, dy], i) => (i ? path.lineTo(x + dx * r, y + dy * r) : path.moveTo(x + dx * r, y + dy * r)));
  path.closePath();
}

export function mark(number) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  if (number >= 0) {
    const p = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
    p.setAttribute("points", shapeOf(number).map((c) => c.join(",")).join(" "));
    p.setAttribute("stroke-width", "0.1");
    svg.append(p);
  }
  return svg;
}
