/** Columns that are separated by three spaces and no wider than they have to be. */
const GAP = 3

export function linesOf(rows: readonly (readonly string[])[]): string[] {
  return new Columns().linesOf(rows)
}

/** The same for rows that come bit by bit: a column keeps the width it has had, so that what follows stands below it. */
export class Columns {
  #widths: number[] = []

  linesOf(rows: readonly (readonly string[])[]): string[] {
    if (rows.length === 0) return []
    this.#widths = rows[0]!.map((_, column) => Math.max(this.#widths[column] ?? 0, ...rows.map(row => row[column]!.length)))
    return rows.map(row =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(this.#widths[column]! + GAP))).join(''),
    )
  }
}
