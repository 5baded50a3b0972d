/** Each pod asks for 400m and is to use half of it. */
export const PER_POD = 200

/** `[hour, thousandths of a CPU]`: the load runs straight from one point to the next. */
const CURVE: readonly (readonly [hour: number, load: number])[] = [
  [0, 100],
  [7, 100],
  // The morning rises slowly …
  [8, 400],
  [10, 3000],
  // … noon dips for three minutes …
  [12, 3000],
  [12.001, 500],
  [12.05, 500],
  [12.051, 3000],
  // … something is in the news …
  [14, 3000],
  [14.001, 9000],
  [16, 9000],
  [16.001, 3000],
  // … and the evening falls at once.
  [20, 3000],
  [20.001, 300],
  [24, 300],
]

/** What is to be done in all at an hour of the day, in thousandths of a CPU. */
export function loadAt(hour: number): number {
  const next = CURVE.findIndex(([at]) => at >= hour)
  if (next <= 0) return CURVE[Math.max(0, next)]![1]
  const [[from, before], [to, after]] = [CURVE[next - 1]!, CURVE[next]!]
  const straight = before + ((after - before) * (hour - from)) / (to - from)
  // A load that trembles by less than the tolerance.
  return straight * (1 + 0.04 * Math.sin(hour * 97))
}
