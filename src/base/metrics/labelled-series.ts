import { headOf, numberText, type Series, sampleText } from './series.ts'

/**
 * Cells by up to three labels, which are given by position. Hot: bench/scheduler — what is observed often keeps its cell, or finds it by a look
 * into three maps; nothing is written as text before somebody asks.
 */
abstract class LabelledSeries<Cell> implements Series {
  readonly #cells = new Map<string, Map<string, Map<string, Cell>>>()
  protected readonly name: string
  readonly #head: string
  readonly #labelNames: readonly string[]

  constructor(type: string, name: string, help: string, labelNames: readonly string[]) {
    this.name = name
    this.#head = headOf(name, help, type)
    this.#labelNames = labelNames
  }

  /** The cell of these labels, in the order of the names. */
  of(first = '', second = '', third = ''): Cell {
    let seconds = this.#cells.get(first)
    if (!seconds) {
      seconds = new Map()
      this.#cells.set(first, seconds)
    }
    let thirds = seconds.get(second)
    if (!thirds) {
      thirds = new Map()
      seconds.set(second, thirds)
    }
    let cell = thirds.get(third)
    if (!cell) {
      cell = this.newCell()
      thirds.set(third, cell)
    }
    return cell
  }

  text(): string {
    const lines: string[] = []
    for (const [first, seconds] of this.#cells)
      for (const [second, thirds] of seconds)
        for (const [third, cell] of thirds) {
          const labels = Object.fromEntries(this.#labelNames.map((label, index) => [label, [first, second, third][index]!]))
          lines.push(...this.linesOf(cell, labels))
        }
    return lines.length === 0 ? '' : `${this.#head}${lines.join('\n')}\n`
  }

  protected abstract newCell(): Cell
  protected abstract linesOf(cell: Cell, labels: Readonly<Record<string, string>>): string[]
}

/** What only grows. */
export class CountCell {
  value = 0

  add(by = 1): void {
    this.value += by
  }
}

/** Counts by labels. */
export class CountSeries extends LabelledSeries<CountCell> {
  constructor(name: string, help: string, labelNames: readonly string[] = []) {
    super('counter', name, help, labelNames)
  }

  protected newCell(): CountCell {
    return new CountCell()
  }

  protected linesOf({ value }: CountCell, labels: Readonly<Record<string, string>>): string[] {
    return [sampleText(this.name, labels, value)]
  }
}

/** How values are distributed. */
export class DistributionCell {
  readonly bounds: readonly number[]
  /** How many values lie up to each bound and above the one before; at the end those above all. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds } = this
    let index = 0
    while (index < bounds.length && value > bounds[index]!) index++
    this.counts[index]!++
    this.sum += value
  }
}

/** Distributions by labels; `bounds` are upper ones, ascending. */
export class DistributionSeries extends LabelledSeries<DistributionCell> {
  readonly #bounds: readonly number[]

  constructor(name: string, help: string, labelNames: readonly string[], bounds: readonly number[]) {
    super('histogram', name, help, labelNames)
    this.#bounds = bounds
  }

  protected newCell(): DistributionCell {
    return new DistributionCell(this.#bounds)
  }

  protected linesOf({ bounds, counts, sum }: DistributionCell, labels: Readonly<Record<string, string>>): string[] {
    let count = 0
    const lines = [...counts].map((own, index) => {
      count += own
      const le = index < bounds.length ? numberText(bounds[index]!) : '+Inf'
      return sampleText(`${this.name}_bucket`, { ...labels, le }, count)
    })
    return [...lines, sampleText(`${this.name}_sum`, labels, sum), sampleText(`${this.name}_count`, labels, count)]
  }
}

/** Values that are looked up when somebody asks. */
export class GaugeSeries implements Series {
  readonly #name: string
  readonly #head: string
  readonly #read: () => Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>

  constructor(name: string, help: string, read: () => Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>) {
    this.#name = name
    this.#head = headOf(name, help, 'gauge')
    this.#read = read
  }

  text(): string {
    const lines = [...this.#read()].map(([labels, value]) => sampleText(this.#name, labels, value))
    return lines.length === 0 ? '' : `${this.#head}${lines.join('\n')}\n`
  }
}

/** `count` bounds, each `factor` times the one before. */
export function exponentialBounds(first: number, factor: number, count: number): number[] {
  const bounds: number[] = []
  for (let bound = first; bounds.length < count; bound *= factor) bounds.push(bound)
  return bounds
}
