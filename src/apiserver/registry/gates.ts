import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { AnyKind, ApiObject, GatedField, Mutable } from '#machinery/kind/kind.ts'

/** The server's feature gates, and what they mean for the fields of objects. */
export class Gates {
  readonly #closed = new Map<AnyKind, readonly Closed[]>()
  readonly isOn: (name: string) => boolean

  /** Gates that are not `asked` for are as in upstream by default. */
  constructor(asked: FeatureGates) {
    const known = new Map<string, boolean>()
    this.isOn = name => {
      const isOn = known.get(name) ?? isGateOn(name, asked)
      known.set(name, isOn)
      return isOn
    }
  }

  /** Takes fields out of what is written whose gates are off, unless the stored object uses what the gate is for. */
  dropFields(kind: AnyKind, object: Mutable<ApiObject>, old?: ApiObject): void {
    const closed = this.#closed.get(kind) ?? this.#closedOf(kind)
    for (const { fields } of closed) {
      if (!fields.some(({ path }) => isAt(object, path)) || (old && fields.some(({ path }) => isAt(old, path)))) continue
      for (const { path, drops } of fields) if (isAt(object, path)) deleteAt(object, drops)
    }
  }

  #closedOf(kind: AnyKind): readonly Closed[] {
    const fields = (kind.hooks.gatedFields ?? []).filter(({ gate }) => !this.isOn(gate))
    const names = [...new Set(fields.map(({ gate }) => gate))]
    const closed = names.map(name => ({ fields: fields.filter(({ gate }) => gate === name).map(compiled) }))
    this.#closed.set(kind, closed)
    return closed
  }
}

/** The fields behind one gate that is off. */
interface Closed {
  readonly fields: readonly { readonly path: Path; readonly drops: Path }[]
}

/** Names of fields; {@link EACH} is every element or value. */
type Path = readonly (string | typeof EACH)[]
const EACH = Symbol('each')

const compiled = ({ path, drops = path }: GatedField) => ({ path: pathOf(path), drops: pathOf(drops) })

function pathOf(text: string): Path {
  return text.split('.').flatMap(step => (/(\[\]|\{\})$/.test(step) ? [step.slice(0, -2), EACH] : [step]))
}

function isAt(value: unknown, path: Path, from = 0): boolean {
  if (value === undefined || value === null) return false
  const step = path[from]
  if (step === undefined) return true
  if (typeof value !== 'object') return false
  if (step === EACH) return Object.values(value).some(part => isAt(part, path, from + 1))
  return isAt((value as Record<string, unknown>)[step], path, from + 1)
}

function deleteAt(value: unknown, path: Path, from = 0): void {
  if (typeof value !== 'object' || value === null) return
  const step = path[from]!
  if (step === EACH) for (const part of Object.values(value)) deleteAt(part, path, from + 1)
  else if (from === path.length - 1) delete (value as Record<string, unknown>)[step]
  else deleteAt((value as Record<string, unknown>)[step], path, from + 1)
}
