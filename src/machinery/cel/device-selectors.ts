import type { Environment } from '#base/languages/cel/environment.ts'
import { BINDINGS_LIBRARY } from '#base/languages/cel/library/bindings.ts'
import type { CelProgram, Compilation } from '#base/languages/cel/program.ts'
import { ANY, BOOL, type CelType, mapOf, objectType, STRING, sized } from '#base/languages/cel/types.ts'
import { CelMap, CelObject, type CelValue, EntryMap } from '#base/languages/cel/values.ts'
import { kubernetesEnvironment } from './kubernetes-environment.ts'
import { QUANTITY_TYPE, quantityOf } from './library/quantity.ts'
import { semverValue } from './library/semver.ts'

/** What one evaluation of a selector may cost, estimated and at run time (upstream's `CELSelectorExpressionMaxCost`). */
export const DEVICE_SELECTOR_COST_LIMIT = 1_000_000

/** What selectors look at of a device in a ResourceSlice. */
export interface SelectableDevice {
  readonly driver: string
  readonly device: {
    readonly attributes?: Readonly<Record<string, DeviceAttributeValue>> | undefined
    readonly capacity?: Readonly<Record<string, { readonly value: string }>> | undefined
    readonly allowMultipleAllocations?: boolean | undefined
  }
}

interface DeviceAttributeValue {
  readonly int?: number | bigint | undefined
  readonly bool?: boolean | undefined
  readonly string?: string | undefined
  readonly version?: string | undefined
}

/** A selector cannot be compiled or evaluated. */
export class DeviceSelectorError extends Error {}

const domain = sized(STRING, 63)
const name = sized(STRING, 32)
const byDomain = (value: CelType) => mapOf(domain, mapOf(name, value, 32), 32)
const DEVICE_TYPE: CelType = objectType('kubernetes.DRADevice', {
  driver: domain,
  attributes: byDomain(ANY),
  capacity: byDomain(QUANTITY_TYPE),
  allowMultipleAllocations: BOOL,
})

let environment: Environment | undefined

/** Compiles a selector of a DeviceClass or ResourceClaim: a condition over `device`. */
export function compileDeviceSelector(expression: string): Compilation {
  environment ??= kubernetesEnvironment().extend({ libraries: [BINDINGS_LIBRARY], variables: { device: DEVICE_TYPE } })
  const compiled = environment.compile(expression)
  if (compiled.issues !== undefined || compiled.type.kind === 'bool' || compiled.type.kind === 'any') return compiled
  return { issues: `must evaluate to bool or the unknown type, not ${compiled.type.name}`, mismatch: compiled.type }
}

/** What is wrong with a selector, as upstream says it about a field: undefined if nothing is. */
export function deviceSelectorError(expression: string): { readonly type: 'invalid' | 'forbidden'; readonly detail: string } | undefined {
  const compiled = compileDeviceSelector(expression)
  if (compiled.issues !== undefined) {
    return { type: 'invalid', detail: compiled.mismatch === undefined ? `compilation failed: ${compiled.issues}` : compiled.issues }
  }
  return compiled.cost.max > DEVICE_SELECTOR_COST_LIMIT ? { type: 'forbidden', detail: 'too complex, exceeds cost limit' } : undefined
}

/** Selectors of classes and claims are few, and asked of many devices. */
const MAX_KEPT = 200
const programs = new Map<string, CelProgram>()

/** Whether a selector holds of a device. Throws a {@link DeviceSelectorError}. */
export function matchesDeviceSelector(expression: string, device: SelectableDevice): boolean {
  const result = programOf(expression).evaluate({ device: new DeviceValue(device) }, DEVICE_SELECTOR_COST_LIMIT)
  if (result.error !== undefined) throw new DeviceSelectorError(result.error)
  if (typeof result.value !== 'boolean') throw new DeviceSelectorError('CEL result of type unknown should have been bool')
  return result.value
}

function programOf(expression: string): CelProgram {
  const known = programs.get(expression)
  if (known !== undefined) return known
  const compiled = compileDeviceSelector(expression)
  if (compiled.issues !== undefined) throw new DeviceSelectorError(compiled.issues)
  if (programs.size >= MAX_KEPT) programs.delete(programs.keys().next().value!)
  programs.set(expression, compiled.program)
  return compiled.program
}

/** A device as the variable `device`. */
class DeviceValue extends CelObject {
  readonly type = DEVICE_TYPE
  readonly #of: SelectableDevice
  constructor(of: SelectableDevice) {
    super()
    this.#of = of
  }
  get(field: string): CelValue | undefined {
    const { driver, device } = this.#of
    switch (field) {
      case 'driver':
        return driver
      case 'attributes':
        return new DomainMap(driver, device.attributes ?? {}, attributeValue)
      case 'capacity':
        return new DomainMap(driver, device.capacity ?? {}, ({ value }) => quantityOf(value))
      case 'allowMultipleAllocations':
        return device.allowMultipleAllocations ?? false
      default:
        return undefined
    }
  }
  has(field: string): boolean | undefined {
    return this.type.fields!.get(field) === undefined ? undefined : true
  }
  equals(other: CelObject): boolean {
    return this === other
  }
}

/** Values by the domain and then the name of their key; a name without domain is of the driver's. Any domain is there, if empty. */
class DomainMap<T> extends CelMap {
  readonly #domains = new Map<string, EntryMap>()
  constructor(driver: string, values: Readonly<Record<string, T>>, adapt: (value: T) => CelValue) {
    super()
    const entries = new Map<string, [string, CelValue][]>()
    for (const [key, value] of Object.entries(values)) {
      const slash = key.indexOf('/')
      const of = slash < 0 ? driver : key.slice(0, slash)
      const entry: [string, CelValue] = [key.slice(slash + 1), adapt(value)]
      const known = entries.get(of)
      if (known === undefined) entries.set(of, [entry])
      else known.push(entry)
    }
    for (const [of, own] of entries) this.#domains.set(of, new EntryMap(own))
  }
  get size(): number {
    return this.#domains.size
  }
  get(key: CelValue): CelValue | undefined {
    return typeof key === 'string' ? (this.#domains.get(key) ?? new EntryMap()) : undefined
  }
  keys(): Iterable<CelValue> {
    return this.#domains.keys()
  }
}

function attributeValue({ int, bool, string, version }: DeviceAttributeValue): CelValue {
  if (int !== undefined) return BigInt(int)
  if (bool !== undefined) return bool
  if (string !== undefined) return string
  return version === undefined ? null : semverValue(version)
}
