import { isLabelValue, isQualifiedName } from '../meta/names.ts'
import { type FieldError, textOf, textOfAll } from '../status/field-error.ts'
import { FieldErrors } from '../status/field-errors.ts'
import { quote } from '../status/go-text.ts'

export type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
export type Labels = Readonly<Record<string, string>>

/** What one label must be like. */
export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

/** A selector as objects carry it (`spec.selector` of a Deployment). */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels | undefined
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined
}

/** Which labels are selected: all requirements hold. Made by `parseLabelSelector`, or from an object. */
export class LabelSelector {
  /** Sorted by key. */
  readonly requirements: readonly Requirement[]
  /** Selects nothing at all, whatever the requirements say. */
  readonly isNothing: boolean

  constructor(requirements: readonly Requirement[], isNothing = false) {
    this.requirements = [...requirements].sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    this.isNothing = isNothing
  }

  static readonly everything = new LabelSelector([])
  static readonly nothing = new LabelSelector([], true)

  /** Exactly these labels. */
  static ofLabels(labels: Labels | null | undefined): LabelSelector {
    return new LabelSelector(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })))
  }

  /**
   * The selector that an object carries: an absent one selects nothing, an empty one everything. Throws `SelectorError` where it breaks a
   * rule; objects that were validated do not.
   */
  static ofObject(selector: LabelSelectorObject | null | undefined): LabelSelector {
    if (!selector) return LabelSelector.nothing
    const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => requirement(key, '=', [value]))
    for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
      const known = OBJECT_OPERATORS.get(operator)
      if (known === undefined) throw new SelectorError(`${quote(operator)} is not a valid label selector operator`)
      requirements.push(requirement(key, known, values))
    }
    return new LabelSelector(requirements)
  }

  get isEverything(): boolean {
    return !this.isNothing && this.requirements.length === 0
  }

  // Hot: bench/watch-cache — asked for every event and every watcher.
  matches(labels: Labels | null | undefined): boolean {
    if (this.isNothing) return false
    for (const one of this.requirements) if (!holds(one, labels)) return false
    return true
  }

  /** The one value that `key` must have, if the selector says so; lets an index answer. */
  exactValueOf(key: string): string | undefined {
    const one = this.requirements.find(requirement => requirement.key === key)
    if (one?.values.length !== 1) return undefined
    return one.operator === '=' || one.operator === '==' || one.operator === 'in' ? one.values[0] : undefined
  }

  toString(): string {
    return this.requirements.map(requirementText).join(',')
  }
}

/** A selector breaks a rule; the message is upstream's. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError'
}

/** A requirement whose key and values were checked. Throws `SelectorError`. */
export function requirement(key: string, operator: Operator, values: readonly string[]): Requirement {
  const errors = new FieldErrors()
  errors.at('key').invalidEach(key, joined(isQualifiedName(key)))
  const at = errors.at('values')
  if ((operator === 'in' || operator === 'notin') && values.length === 0)
    at.invalid(values, "for 'in', 'notin' operators, values set can't be empty")
  if ((operator === '=' || operator === '==' || operator === '!=') && values.length !== 1) {
    at.invalid(values, 'exact-match compatibility requires one single value')
  }
  if ((operator === 'exists' || operator === '!') && values.length !== 0)
    at.invalid(values, 'values set must be empty for exists and does not exist')
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) at.invalid(values, "for 'Gt', 'Lt' operators, exactly one value is required")
    values.forEach((value, index) => {
      if (integerOf(value) === undefined) at.index(index).invalid(value, "for 'Gt', 'Lt' operators, the value must be an integer")
    })
  }
  values.forEach((value, index) => {
    const wrong = isLabelValue(value)
    if (wrong.length > 0) at.index(index).key(key).invalid(value, wrong.join('; '))
  })
  if (!errors.isEmpty) throw new SelectorError(textOfAll(errors.all))
  return { key, operator, values }
}

/** The error of a key that stands before its operator: it has no path. */
export function checkKey(key: string): void {
  const wrong = isQualifiedName(key)
  if (wrong.length === 0) return
  const error: FieldError = { type: 'FieldValueInvalid', field: '<nil>', badValue: key, detail: wrong.join('; ') }
  throw new SelectorError(textOf(error))
}

const OBJECT_OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

function joined(details: readonly string[]): readonly string[] {
  return details.length > 1 ? [details.join('; ')] : details
}

function holds({ key, operator, values }: Requirement, labels: Labels | null | undefined): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt': {
      const actual = value === undefined ? undefined : integerOf(value)
      const bound = integerOf(values[0] ?? '')
      if (actual === undefined || bound === undefined) return false
      return operator === 'gt' ? actual > bound : actual < bound
    }
  }
}

/** A 64-bit integer, or undefined. */
function integerOf(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function requirementText({ key, operator, values }: Requirement): string {
  const text = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '')
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${text})`
    case 'gt':
      return `${key}>${text}`
    case 'lt':
      return `${key}<${text}`
    default:
      return `${key}${operator}${text}`
  }
}
