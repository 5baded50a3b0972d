/** Columns that are separated by three spaces and no wider than they have to be. */
const GAP = 3

export function linesOf(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]! + GAP))).join(''))
}
