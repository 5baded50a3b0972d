import { isQualifiedName } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { LimitRange, LimitRangeItem } from './limit-range.ts'
import { mayOvercommit, validateContainerResourceName, validateResourceName } from './resource-requirements.rules.ts'

export function validateLimitRange({ spec }: LimitRange, errors: FieldErrors): void {
  const types = new Set<string>()
  spec.limits?.forEach((item, index) => {
    const at = errors.at('spec').at('limits').index(index)
    validateType(item.type, at.at('type'))
    if (types.has(item.type)) at.at('type').duplicate(item.type)
    types.add(item.type)
    validateItem(item, at)
  })
}

function validateType(type: string, errors: FieldErrors): void {
  const wrong = isQualifiedName(type)
  errors.invalidEach(type, wrong)
  if (wrong.length === 0 && !type.includes('/') && !['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) {
    errors.invalid(type, 'must be a standard limit type or fully qualified')
  }
}

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateItem(item: LimitRangeItem, errors: FieldErrors): void {
  const isPod = item.type === 'Pod'
  for (const list of LISTS) {
    if (isPod && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(item[list] ?? {}).length > 0) errors.at(list).forbidden("may not be specified when `type` is 'Pod'")
      continue
    }
    for (const [name] of sortedEntries(item[list])) {
      if (isPod || item.type === 'Container') validateContainerResourceName(name, errors.at(list).key(name))
      else validateResourceName(name, errors.at(list).key(name))
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    errors.at('limits').required('either minimum or maximum storage value is required, but neither was provided')
  }
  const names = new Set(LISTS.flatMap(list => (isPod && list.startsWith('default') ? [] : Object.keys(item[list] ?? {}))))
  for (const name of [...names].sort()) validateBounds(item, name, isPod, errors)
}

/** min ≤ default request ≤ default ≤ max, and a ratio that fits between them. */
function validateBounds(item: LimitRangeItem, name: string, isPod: boolean, errors: FieldErrors): void {
  const read = (text: string | undefined) => (text === undefined ? undefined : Quantity.parse(text))
  const min = read(item.min?.[name])
  const max = read(item.max?.[name])
  const limit = isPod ? undefined : read(item.default?.[name])
  const request = isPod ? undefined : read(item.defaultRequest?.[name])
  const ratio = read(item.maxLimitRequestRatio?.[name])
  const at = (list: string) => errors.at(list).key(name)
  const exceeds = (left: Quantity | undefined, right: Quantity | undefined) =>
    left !== undefined && right !== undefined && left.compare(right) > 0
  if (exceeds(min, max)) at('min').invalid(`${min}`, `min value ${min} is greater than max value ${max}`)
  if (exceeds(min, request)) at('defaultRequest').invalid(`${request}`, `min value ${min} is greater than default request value ${request}`)
  if (exceeds(request, max)) at('defaultRequest').invalid(`${request}`, `default request value ${request} is greater than max value ${max}`)
  if (exceeds(request, limit)) {
    at('defaultRequest').invalid(`${request}`, `default request value ${request} is greater than default limit value ${limit}`)
  }
  if (exceeds(min, limit)) at('default').invalid(`${min}`, `min value ${min} is greater than default value ${limit}`)
  if (exceeds(limit, max)) at('default').invalid(`${max}`, `default value ${limit} is greater than max value ${max}`)
  if (exceeds(Quantity.of(1), ratio)) at('maxLimitRequestRatio').invalid(`${ratio}`, `ratio ${ratio} is less than 1`)
  if (ratio && min && max) {
    const most = max.toFloat() / min.toFloat()
    if (ratio.toFloat() > most)
      at('maxLimitRequestRatio').invalid(`${ratio}`, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`)
  }
  if (!mayOvercommit(name) && limit && request && !limit.equals(request)) {
    at('defaultRequest').invalid(`${request}`, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`)
  }
}
