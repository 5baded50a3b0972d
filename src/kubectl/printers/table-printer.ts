import { Columns } from './columns.ts'

/** A Table as the server sends it (meta.k8s.io/v1). */
export interface Table {
  /** Absent in the later events of a watch: they have the columns of the first. */
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority: number }[] | null
  readonly rows: readonly TableRow[]
}

export interface TableRow {
  readonly cells: readonly unknown[]
  readonly object?: { readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string } }
}

export interface TableOptions {
  /** `-o wide`: columns of every priority. */
  readonly isWide: boolean
  /** Puts the namespace in front. */
  readonly withNamespace: boolean
  /** `resource/` in front of names, where several kinds are shown. */
  readonly prefix: string
  readonly withoutHeaders: boolean
  /** Puts in front what has happened to each row: for events of a watch. */
  readonly withEvents?: boolean
}

/** A Table as `kubectl get` prints it: columns as wide as their widest cell, three spaces between. */
export function printTable(table: Table, options: TableOptions): string {
  return tablePrinter(options)(table)
}

/**
 * Prints one Table after another as parts of one: the first that has rows gets the header, columns keep the width they have had, and a Table
 * without column definitions has those of the last. `event` is what has happened to the rows.
 */
export function tablePrinter(options: TableOptions): (table: Table, event?: string) => string {
  const { isWide, withNamespace, prefix, withoutHeaders, withEvents } = options
  const columns = new Columns()
  let definitions: NonNullable<Table['columnDefinitions']> = []
  let needsHeader = !withoutHeaders
  return ({ columnDefinitions, rows }, event = '') => {
    if (columnDefinitions && columnDefinitions.length > 0) definitions = columnDefinitions
    const shown = definitions.flatMap(({ name, priority }, index) => (isWide || priority === 0 ? [{ name, index }] : []))
    const header = [
      ...(withEvents ? ['EVENT'] : []),
      ...(withNamespace ? ['NAMESPACE'] : []),
      ...shown.map(({ name }) => name.toUpperCase()),
    ]
    const lines = rows.map(({ cells, object }) => [
      ...(withEvents ? [event] : []),
      ...(withNamespace ? [object?.metadata?.namespace ?? ''] : []),
      ...shown.map(({ name, index }) => (prefix !== '' && name === 'Name' ? prefix : '') + cellText(cells[index])),
    ])
    const printed = columns.linesOf(needsHeader && rows.length > 0 ? [header, ...lines] : lines)
    if (rows.length > 0) needsHeader = false
    return printed.map(line => `${line}\n`).join('')
  }
}

/** Of a cell that goes over several lines only the first is shown. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>'
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
  const end = text.search(/[\n\r]/)
  return end < 0 ? text : `${text.slice(0, end)}...`
}
