import type { AnySchema, Fields, Message, MessageShape } from '../schema/schema.ts'
import type { AnyKind, View } from './kind.ts'

/** In what a further version of a kind differs from the stored one. */
export interface OtherVersion {
  readonly version: string
  /** Messages with other fields, by their names without the package. `fields` are those of the stored version, named after this one. */
  readonly messages?: Readonly<Record<string, (fields: Fields) => Fields>>
  /** How objects get from one version to the other; default: as they are. */
  readonly conversion?: Pick<View, 'up' | 'down'>
}

/**
 * A kind in a further version whose objects look like the stored ones, or nearly so: beta and alpha versions of what is stable by now. The
 * messages of its package are named after the version.
 */
export function inOtherVersion(stored: AnyKind, { version, messages = {}, conversion = SAME }: OtherVersion): AnyKind {
  const from = packageOf(stored.schema.shape.name)
  const to = from.replace(/[^.]+$/, version)
  const schema = renamed(stored.schema, { from, to, messages, known: new Map() }) as Message<Fields>
  // What is written is checked in the stored version.
  const { applyDefaults, gatedFields: _, ...hooks } = stored.hooks
  const isSame = conversion === SAME
  return {
    ...stored,
    version,
    apiVersion: `${stored.group}/${version}`,
    schema,
    hooks: isSame && applyDefaults ? { ...hooks, applyDefaults } : hooks,
    view: { of: stored, ...conversion },
  }
}

const SAME: Pick<View, 'up' | 'down'> = { up: object => object, down: object => object }

function packageOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'))
}

interface Renaming {
  readonly from: string
  readonly to: string
  readonly messages: NonNullable<OtherVersion['messages']>
  readonly known: Map<AnySchema, AnySchema>
}

function renamed(schema: AnySchema, renaming: Renaming): AnySchema {
  const known = renaming.known.get(schema)
  if (known) return known
  const { shape } = schema
  switch (shape.type) {
    case 'list':
    case 'map': {
      const of = renamed(shape.of, renaming)
      return of === shape.of ? schema : { shape: { ...shape, of } }
    }
    case 'lazy':
      return { shape: { type: 'lazy', of: () => renamed(shape.of(), renaming) } }
    case 'message':
      return packageOf(shape.name) === renaming.from ? renamedMessage(schema, shape, renaming) : schema
    default:
      return schema
  }
}

function renamedMessage(schema: AnySchema, shape: MessageShape, renaming: Renaming): AnySchema {
  const { from, to, messages, known } = renaming
  const name = shape.name.slice(from.length + 1)
  // It may refer to itself: it is known before its fields are looked at.
  const fields: Record<string, Fields[string]> = {}
  const message = { fields, shape: { ...shape, name: `${to}.${name}`, fields } }
  known.set(schema, message)
  const same = Object.fromEntries(
    Object.entries(shape.fields).map(([key, field]) => [key, { ...field, schema: renamed(field.schema, renaming) }]),
  )
  Object.assign(fields, messages[name]?.(same) ?? same)
  return message
}
