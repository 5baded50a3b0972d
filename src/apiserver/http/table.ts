import { AGE_DESCRIPTION, nameColumn } from '#kinds/meta/v1/columns.ts'
import type { AnyKind, ApiObject, Column } from '#machinery/kind/kind.ts'
import type { ListMeta, ObjectMeta } from '#machinery/kind/object-meta.ts'

/** How much of each object a row carries: the `includeObject` parameter. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableOptions {
  readonly includeObject: IncludeObject
  /** The version of the answer: `v1`, `v1beta1`. */
  readonly version: string
  readonly now: number
}

/** Objects as `kubectl get` shows them. Column definitions can be left out: a watch says them once. */
export function tableOf(
  kind: AnyKind,
  objects: readonly ApiObject[],
  metadata: ListMeta,
  options: TableOptions,
  definesColumns = true,
): object {
  const columns = columnsOf(kind)
  const rows = objects.map(object => rowOf(kind, columns, object, options))
  return { ...tableHead(kind, metadata, options, definesColumns), rows }
}

/** A table without its rows. */
export function tableHead(kind: AnyKind, metadata: ListMeta, { version }: TableOptions, definesColumns = true): object {
  const columnDefinitions = definesColumns ? definitionsOf(kind, columnsOf(kind)) : null
  return { kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions }
}

/** The metadata of an object without the rest. */
export function partialOf(kind: AnyKind, object: ApiObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: metadataAlone(kind, object) }
}

function metadataAlone({ hooks }: AnyKind, { metadata }: ApiObject): ObjectMeta {
  const inner = hooks.innerAnnotations
  if (!inner || !metadata.annotations) return metadata
  const { annotations, ...rest } = metadata
  const shownAnnotations = Object.entries(annotations).filter(([key]) => !inner.includes(key))
  if (shownAnnotations.length === 0) return rest
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, name === 'annotations' ? Object.fromEntries(shownAnnotations) : value]),
  ) as ObjectMeta
}

function rowOf(kind: AnyKind, columns: readonly Column<ApiObject>[], object: ApiObject, options: TableOptions): object {
  const { includeObject, now } = options
  const cells = new Array<unknown>(columns.length)
  for (let index = 0; index < columns.length; index++) cells[index] = columns[index]!.of(object, { now }) ?? null
  const conditions = kind.hooks.rowConditions?.(object)
  const shown = includeObject === 'Object' ? object : includeObject === 'None' ? null : partialOf(kind, object, options.version)
  return { cells, ...(conditions?.length ? { conditions } : {}), object: shown }
}

/** The columns of a kind's tables. */
export function columnsOf(kind: AnyKind): readonly Column<ApiObject>[] {
  return kind.columns ?? PLAIN_COLUMNS
}

const definitions = new WeakMap<AnyKind, readonly object[]>()

function definitionsOf(kind: AnyKind, columns: readonly Column<ApiObject>[]): readonly object[] {
  let known = definitions.get(kind)
  if (!known) {
    known = columns.filter(defined).map(({ name, type = 'string', format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    }))
    definitions.set(kind, known)
  }
  return known
}

function defined({ undeclared }: Column<ApiObject>): boolean {
  return !undeclared
}

/** What is shown of a kind that says nothing of its columns. */
const PLAIN_COLUMNS: readonly Column<ApiObject>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: AGE_DESCRIPTION,
    of: ({ metadata }) => metadata.creationTimestamp ?? null,
  },
]
