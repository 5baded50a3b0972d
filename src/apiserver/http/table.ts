import type { AnyKind, ApiObject, Column } from '#machinery/kind/kind.ts'
import type { ListMeta } from '#machinery/kind/object-meta.ts'

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
  const apiVersion = `meta.k8s.io/${options.version}`
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: definesColumns ? definitionsOf(kind, columns) : null,
    rows: objects.map(object => rowOf(kind, columns, object, apiVersion, options)),
  }
}

/** The metadata of an object without the rest. */
export function partialOf(object: ApiObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

function rowOf(kind: AnyKind, columns: readonly Column<ApiObject>[], object: ApiObject, apiVersion: string, options: TableOptions): object {
  const { includeObject, now } = options
  const cells = new Array<unknown>(columns.length)
  for (let index = 0; index < columns.length; index++) cells[index] = columns[index]!.of(object, { now }) ?? null
  const conditions = kind.hooks.rowConditions?.(object)
  const shown =
    includeObject === 'Object'
      ? object
      : includeObject === 'None'
        ? null
        : { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata }
  return { cells, ...(conditions?.length ? { conditions } : {}), object: shown }
}

function columnsOf(kind: AnyKind): readonly Column<ApiObject>[] {
  return kind.columns ?? PLAIN_COLUMNS
}

const definitions = new WeakMap<AnyKind, readonly object[]>()

function definitionsOf(kind: AnyKind, columns: readonly Column<ApiObject>[]): readonly object[] {
  let known = definitions.get(kind)
  if (!known) {
    known = columns.map(({ name, type = 'string', format = '', description = COMMON_DESCRIPTIONS[name] ?? '', priority = 0 }) => ({
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

/** What is said of the columns that nearly all kinds have. */
const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'
const AGE_DESCRIPTION =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'
const COMMON_DESCRIPTIONS: Readonly<Record<string, string>> = { Name: NAME_DESCRIPTION, Age: AGE_DESCRIPTION }

/** What is shown of a kind that says nothing of its columns. */
const PLAIN_COLUMNS: readonly Column<ApiObject>[] = [
  {
    name: 'Name',
    format: 'name',
    description: NAME_DESCRIPTION,
    of: ({ metadata }) => metadata.name ?? '',
  },
  {
    name: 'Created At',
    type: 'date',
    description: AGE_DESCRIPTION,
    of: ({ metadata }) => metadata.creationTimestamp ?? null,
  },
]
