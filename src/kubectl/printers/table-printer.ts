import { linesOf } from './columns.ts'

/** A Table as the server sends it (meta.k8s.io/v1). */
export interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[]
  readonly rows: readonly {
    readonly cells: readonly unknown[]
    readonly object?: { readonly metadata?: { readonly namespace?: string } }
  }[]
}

export interface TableOptions {
  /** `-o wide`: columns of every priority. */
  readonly isWide: boolean
  /** Puts the namespace in front. */
  readonly withNamespace: boolean
  /** `resource/` in front of names, where several kinds are shown. */
  readonly prefix: string
  readonly withoutHeaders: boolean
}

/** A Table as `kubectl get` prints it: columns as wide as their widest cell, three spaces between. */
export function printTable(table: Table, { isWide, withNamespace, prefix, withoutHeaders }: TableOptions): string {
  const shown = table.columnDefinitions.flatMap(({ name, priority }, index) => (isWide || priority === 0 ? [{ name, index }] : []))
  const header = [...(withNamespace ? ['NAMESPACE'] : []), ...shown.map(({ name }) => name.toUpperCase())]
  const rows = table.rows.map(({ cells, object }) => [
    ...(withNamespace ? [object?.metadata?.namespace ?? ''] : []),
    ...shown.map(({ name, index }) => (prefix !== '' && name === 'Name' ? prefix : '') + cellText(cells[index])),
  ])
  const lines = withoutHeaders ? rows : [header, ...rows]
  return linesOf(lines)
    .map(line => `${line}\n`)
    .join('')
}

/** Of a cell that goes over several lines only the first is shown. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>'
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
  const end = text.search(/[\n\r]/)
  return end < 0 ? text : `${text.slice(0, end)}...`
}
