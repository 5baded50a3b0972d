import { beside } from '#base/collections/beside.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import type { AnyKind, ApiObject, Column } from '#machinery/kind/kind.ts'
import type { Page } from '../registry/read.ts'
import { metadataBytes } from './metadata-bytes.ts'
import { jsonBytes } from './render.ts'
import { columnsOf, partialOf, type TableOptions, tableHead } from './table.ts'

/**
 * The JSON of {@link tableOf}. Hot: bench/apiserver — the cells of an object are made once, but for those that tell the time, and their bytes are
 * kept until one of those tells another; its metadata is a part of its kept bytes. A row is what stands between two of those.
 */
export function tableJson(kind: AnyKind, { items, metadata }: Page, options: TableOptions): Uint8Array[] {
  const columns = columnsOf(kind)
  const head = encodeJson(tableHead(kind, metadata, options))
  const { includeObject, now } = options
  const text = new TextParts(includeObject === 'Metadata' ? 0 : items.length * ROW_BYTES)
  const parts: Uint8Array[] = []
  const typeText = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${options.version}","metadata":`
  let before = `${head.slice(0, -1)},"rows":[`
  for (const item of items) {
    const row = rowOf(kind, columns, item)
    const slice = includeObject === 'Metadata' && !hasInnerAnnotations(kind, item) ? metadataBytes(item, jsonBytes(item)) : undefined
    if (slice) {
      const bytes = rowBytes(row, item, now, typeText)
      if (before === ROW_END) parts.push(bytes, slice)
      else parts.push(text.add(before), bytes.subarray(ROW_END.length), slice)
      before = ROW_END
    } else if (includeObject === 'Object') {
      const bytes = jsonBytes(item)
      parts.push(text.add(`${before}${rowText(row, item, now)}`), bytes.subarray(0, bytes.length - 1))
      before = '},'
    } else {
      const object = includeObject === 'None' ? 'null' : encodeJson(partialOf(kind, item, options.version))
      parts.push(text.add(`${before}${rowText(row, item, now)}${object}`))
      before = '},'
    }
  }
  parts.push(text.add(`${items.length > 0 ? before.slice(0, -1) : before}]}\n`))
  return parts
}

/** How much the text of a row takes, about. */
const ROW_BYTES = 300

/** A row as far as it does not depend on the time: texts, and the columns whose cells stand between them. */
interface Row {
  readonly kind: AnyKind
  readonly parts: readonly (string | Column<ApiObject>)[]
  /** As it was last sent before metadata: the cells that tell the time, what stands behind the row, and the bytes. */
  shown?: { readonly cells: string; readonly end: string; readonly bytes: Uint8Array }
}

/** What stands between the metadata of an object and the next row. */
const ROW_END = '}},'
const NO_CELL = '\0'
const encoder = new TextEncoder()

const rows = beside<Row>()

function rowOf(kind: AnyKind, columns: readonly Column<ApiObject>[], object: ApiObject): Row {
  const known = rows.get(object)
  if (known?.kind === kind) return known
  const parts: (string | Column<ApiObject>)[] = []
  let text = '{"cells":['
  columns.forEach((column, index) => {
    if (index > 0) text += ','
    let asksTime = false
    const cell = column.of(object, {
      get now() {
        asksTime = true
        return 0
      },
    })
    if (!asksTime) {
      text += encodeJson(cell ?? null)
      return
    }
    parts.push(text, column)
    text = ''
  })
  const conditions = kind.hooks.rowConditions?.(object)
  parts.push(`${text}]${conditions?.length ? `,"conditions":${encodeJson(conditions)}` : ''},"object":`)
  const row = { kind, parts }
  rows.set(object, row)
  return row
}

/** A row behind {@link ROW_END} and before `end`. */
function rowBytes(row: Row, object: ApiObject, now: number, end: string): Uint8Array {
  let cells = ''
  for (const part of row.parts) if (typeof part !== 'string') cells += `${part.of(object, { now }) ?? NO_CELL}\0`
  if (row.shown?.cells === cells && row.shown.end === end) return row.shown.bytes
  const bytes = encoder.encode(`${ROW_END}${rowText(row, object, now)}${end}`)
  row.shown = { cells, end, bytes }
  return bytes
}

function rowText({ parts }: Row, object: ApiObject, now: number): string {
  let text = ''
  for (const part of parts) text += typeof part === 'string' ? part : encodeJson(part.of(object, { now }) ?? null)
  return text
}

function hasInnerAnnotations({ hooks }: AnyKind, { metadata }: ApiObject): boolean {
  return hooks.innerAnnotations !== undefined && metadata.annotations !== undefined
}

/** Texts as bytes, one behind the other in few buffers. */
class TextParts {
  #buffer: Buffer
  #end = 0

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(4096, bytes))
  }

  add(text: string): Uint8Array {
    if (this.#buffer.length - this.#end < text.length * 3) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(text.length * 3, this.#buffer.length >> 1))
      this.#end = 0
    }
    const start = this.#end
    this.#end += this.#buffer.write(text, start)
    return this.#buffer.subarray(start, this.#end)
  }
}
