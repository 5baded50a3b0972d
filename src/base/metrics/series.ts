export type Labels = Readonly<Record<string, string>>

/** A metric in Prometheus' text format, cheap to add to; the text is made when somebody asks. */
export interface Series {
  text(): string
}

/** Counts by labels, which are always the same ones. */
export class CounterSeries implements Series {
  readonly #head: string
  readonly #name: string
  readonly #values = new Map<string, number>()

  constructor(name: string, help: string) {
    this.#name = name
    this.#head = headOf(name, help, 'counter')
  }

  add(labels: Labels, by = 1): void {
    const key = labelsText(labels)
    this.#values.set(key, (this.#values.get(key) ?? 0) + by)
  }

  text(): string {
    if (this.#values.size === 0) return ''
    return `${this.#head}${[...this.#values].map(([key, value]) => `${this.#name}{${key}} ${value}\n`).join('')}`
  }
}

/** Distributions by labels. `bounds` are upper ones, ascending. */
export class HistogramSeries implements Series {
  readonly #head: string
  readonly #name: string
  readonly #bounds: readonly number[]
  readonly #values = new Map<string, { readonly buckets: number[]; sum: number; count: number }>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#head = headOf(name, help, 'histogram')
    this.#bounds = bounds
  }

  observe(labels: Labels, value: number): void {
    const key = labelsText(labels)
    let entry = this.#values.get(key)
    if (!entry) {
      entry = { buckets: this.#bounds.map(() => 0), sum: 0, count: 0 }
      this.#values.set(key, entry)
    }
    this.#bounds.forEach((bound, index) => {
      if (value <= bound) entry.buckets[index]!++
    })
    entry.sum += value
    entry.count++
  }

  text(): string {
    if (this.#values.size === 0) return ''
    const name = this.#name
    const lines = [...this.#values].flatMap(([key, { buckets, sum, count }]) => [
      ...this.#bounds.map((bound, index) => `${name}_bucket{${key},le="${numberText(bound)}"} ${buckets[index]}`),
      `${name}_bucket{${key},le="+Inf"} ${count}`,
      `${name}_sum{${key}} ${sum}`,
      `${name}_count{${key}} ${count}`,
    ])
    return `${this.#head}${lines.join('\n')}\n`
  }
}

/** The two lines in front of a metric's samples. */
export function headOf(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

/** One sample, such as `up{job="a"} 1`, without a line break. */
export function sampleText(name: string, labels: Labels, value: number): string {
  const text = labelsText(labels)
  return `${name}${text === '' ? '' : `{${text}}`} ${numberText(value)}`
}

/** As Go writes numbers: `1.5e-05`. Bounds are labels, and those of two programs have to be the same text. */
export function numberText(value: number): string {
  if (value === 0 || Math.abs(value) >= 1e-4) return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

/** What stands between the braces. */
export function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, char => (char === '\n' ? '\\n' : `\\${char}`))}"`)
    .join(',')
}
