import { EvaluationError, noSuchOverload } from './evaluation-error.ts'
import { CelList, CelMap, CelObject, CelOptional, CelUint, type CelValue, keyOf, typeNameOf } from './values.ts'

/** The value of a field or key; undefined where there is none. */
export function find(target: CelValue, field: string): CelValue | undefined {
  if (target instanceof CelMap || target instanceof CelObject) return target.get(field)
  return undefined
}

/** As {@link find}; a field of an object that is not set is not there. */
export function findPresent(target: CelValue, field: string): CelValue | undefined {
  return isPresent(target, field) ? find(target, field) : undefined
}

export function isPresent(target: CelValue, field: string): boolean {
  if (target instanceof CelMap) return target.get(field) !== undefined
  if (!(target instanceof CelObject)) return false
  const isSet = target.has(field)
  if (isSet === undefined) throw new EvaluationError(`no such field '${field}'`)
  return isSet
}

export function lookUp(target: CelValue, key: CelValue): CelValue | undefined {
  if (target instanceof CelMap) {
    if (keyOf(key) === undefined && typeof key !== 'number') throw noSuchOverload()
    return target.get(key)
  }
  if (target instanceof CelList) {
    const index = key instanceof CelUint ? Number(key.value) : typeof key === 'bigint' || typeof key === 'number' ? Number(key) : undefined
    if (index === undefined) throw new EvaluationError(`unsupported index type '${typeNameOf(key)}' in list`)
    if (!Number.isInteger(index)) throw new EvaluationError(`unsupported index value ${index} in list`)
    return index >= 0 && index < target.size ? target.at(index) : undefined
  }
  if (target instanceof CelObject && typeof key === 'string') return target.get(key)
  throw noSuchOverload()
}

export function throughOptional(optional: CelOptional, step: (value: CelValue) => CelValue | undefined): CelOptional {
  if (optional.value === undefined) return optional
  const value = step(optional.value)
  return value === undefined ? CelOptional.none : asOptional(value)
}

export function asOptional(value: CelValue): CelOptional {
  return value instanceof CelOptional ? value : new CelOptional(value)
}
