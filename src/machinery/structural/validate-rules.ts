import { typedJsonValue } from '#base/languages/cel/json-values.ts'
import { CelOptional, type CelValue } from '#base/languages/cel/values.ts'
import { PER_CALL_COST_LIMIT, RUNTIME_COST_BUDGET } from '../cel/kubernetes-environment.ts'
import { isJsonObject, isSameJson } from '../patch/json-object.ts'
import { type FieldError, type FieldErrorType, OMITTED, textOf } from '../status/field-error.ts'
import { type CompiledRule, rulesOf } from './compiled-rules.ts'
import { correlatedItem } from './correlate.ts'
import { IS_RESOURCE, itemsOf, type JsonSchema, propertyOf, RULES, someSchema, valuesOf } from './json-schema.ts'

/** What rules found. */
export interface RuleFindings {
  readonly errors: readonly FieldError[]
  /** What is wrong with parts that have not changed: no error, but said. */
  readonly warnings: readonly string[]
}

/** Whether there is a rule anywhere in the schema. */
export function hasRules(schema: JsonSchema): boolean {
  let has = withRules.get(schema)
  if (has === undefined) {
    has = someSchema(schema, part => (part[RULES]?.length ?? 0) > 0)
    withRules.set(schema, has)
  }
  return has
}

const withRules = new WeakMap<JsonSchema, boolean>()

/**
 * Asks the rules of a schema about a value, and with `old` about what became of the value before. `isResource`: it is a whole object. All
 * together may cost `budget`; when that is used up, nothing more is asked, and that is an error.
 */
export function validateRules(
  value: unknown,
  schema: JsonSchema,
  options: {
    readonly isResource: boolean
    readonly path?: string
    readonly old?: { readonly value: unknown } | undefined
    readonly budget?: number
  },
): RuleFindings {
  const run = new Run(options.budget ?? RUNTIME_COST_BUDGET)
  const { old, path = '', isResource } = options
  const isUnchanged = old ? memoized(() => isSameJson(old.value, value)) : () => false
  run.validate(value, schema, { path, isResource, old, isUnchanged })
  return { errors: run.errors, warnings: run.warnings }
}

interface Place {
  readonly path: string
  readonly isResource: boolean
  /** What stood here before, as far as that can be told. */
  readonly old: { readonly value: unknown } | undefined
  /** Whether this value, or what is around it if nobody knows what it was, is as it was before. */
  readonly isUnchanged: () => boolean
}

class Run {
  readonly errors: FieldError[] = []
  readonly warnings: string[] = []
  #budget: number

  constructor(budget: number) {
    this.#budget = budget
  }

  validate(value: unknown, schema: JsonSchema, place: Place): void {
    if (this.#budget < 0 || value === null || value === undefined || !hasRules(schema)) return
    if (schema[RULES]?.length) this.#ask(value, schema, place)
    if (Array.isArray(value)) this.#list(value, schema, place)
    else if (isJsonObject(value)) this.#object(value, schema, place)
  }

  #list(list: readonly unknown[], schema: JsonSchema, place: Place): void {
    const items = itemsOf(schema)
    if (!items) return
    const find = correlatedItem(schema, place.old?.value)
    list.forEach((item, index) => {
      const before = find(item)
      this.#inner(item, items, `${place.path}[${index}]`, before === undefined ? undefined : { value: before }, place)
    })
  }

  #object(object: Readonly<Record<string, unknown>>, schema: JsonSchema, place: Place): void {
    const values = valuesOf(schema)
    const before = isJsonObject(place.old?.value) ? place.old.value : undefined
    for (const key of Object.keys(object)) {
      const property = propertyOf(schema, key)
      const part = property ?? values
      if (!part) continue
      const path = property ? (place.path === '' ? key : `${place.path}.${key}`) : `${place.path}[${key}]`
      this.#inner(object[key], part, path, before && Object.hasOwn(before, key) ? { value: before[key] } : undefined, place)
    }
  }

  #inner(value: unknown, schema: JsonSchema, path: string, old: Place['old'], { isUnchanged: around }: Place): void {
    const isUnchanged = old ? memoized(() => isSameJson(old.value, value)) : around
    this.validate(value, schema, { path, isResource: schema[IS_RESOURCE] === true, old, isUnchanged })
  }

  #ask(value: unknown, schema: JsonSchema, place: Place): void {
    const compiled = rulesOf(schema, place.isResource)
    if (!compiled) return
    const self = typedJsonValue(value, compiled.type)
    const old = place.old?.value ?? undefined
    const before = old === undefined ? undefined : typedJsonValue(old, compiled.type)
    for (const one of compiled.rules) {
      if (this.#budget < 0) return
      if (one.error !== undefined) this.#report(place, 'FieldValueInvalid', typeOf(schema), `rule compile error: ${one.error}`)
      else if (one.program) this.#askOne(one, value, schema, place, self, before)
    }
  }

  #askOne(one: CompiledRule, value: unknown, schema: JsonSchema, place: Place, self: CelValue, before: CelValue | undefined): void {
    const { rule, program, usesOldSelf } = one
    if (usesOldSelf && before === undefined && !rule.optionalOldSelf) return
    if (this.#budget === 0) {
      this.#exhausted(schema, place)
      return
    }
    const bindings = {
      self,
      ...(rule.optionalOldSelf ? { oldSelf: before === undefined ? CelOptional.none : new CelOptional(before) } : {}),
      ...(!rule.optionalOldSelf && before !== undefined ? { oldSelf: before } : {}),
    }
    const result = program!.evaluate(bindings, PER_CALL_COST_LIMIT)
    if (result.cost > this.#budget) {
      this.#exhausted(schema, place)
      return
    }
    this.#budget -= result.cost
    if (result.error !== undefined) {
      this.#failed(result.error, rule, schema, place)
      return
    }
    if (result.value === true) return
    const at = one.blames === '' ? place : { ...place, path: place.path === '' ? one.blames : `${place.path}.${one.blames}` }
    const detail = this.#messageOf(one, bindings, schema, at)
    if (detail === undefined) return
    const isWhole = schema.type === 'object' || schema.type === 'array'
    const error = errorFor(rule.reason, at.path, isWhole ? OMITTED : value, detail)
    // What was wrong before and has not changed is let be; what compares with before is about the change.
    if (!usesOldSelf && place.isUnchanged()) this.warnings.push(textOf(error))
    else this.errors.push(error)
  }

  /** What a user reads of a broken rule; undefined where finding that out has ended everything. */
  #messageOf(one: CompiledRule, bindings: Readonly<Record<string, CelValue>>, schema: JsonSchema, place: Place): string | undefined {
    const plain = one.rule.message?.trim() || `failed rule: ${one.rule.rule.trim()}`
    if (!one.message) return plain
    const result = one.message.evaluate(bindings, PER_CALL_COST_LIMIT)
    const isBeyond = result.cost > this.#budget
    if (isBeyond || (result.error !== undefined && result.overBudget)) {
      const why = isBeyond
        ? 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
        : `no further validation rules will be run due to call cost exceeds limit for messageExpression: "${one.rule.messageExpression}"`
      this.#report(place, 'FieldValueInvalid', typeOf(schema), why)
      this.#budget = -1
      return undefined
    }
    this.#budget -= result.cost
    const text = typeof result.value === 'string' ? result.value.trim() : ''
    return text === '' || text.includes('\n') || new TextEncoder().encode(text).length > MAX_MESSAGE_BYTES ? plain : text
  }

  #failed(error: string, rule: CompiledRule['rule'], schema: JsonSchema, place: Place): void {
    const name = rule.message?.trim() || rule.rule.trim()
    if (error.startsWith('no such overload')) {
      const why = `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`
      this.#report(place, 'FieldValueInvalid', typeOf(schema), why)
    } else if (error.startsWith('operation cancelled: actual cost limit exceeded')) {
      const why = `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${name}`
      this.#report(place, 'FieldValueInvalid', typeOf(schema), why)
      this.#budget = -1
    } else this.#report(place, 'FieldValueInvalid', typeOf(schema), `${error} evaluating rule: ${name}`)
  }

  #exhausted(schema: JsonSchema, place: Place): void {
    const why = 'validation failed due to running out of cost budget, no further validation rules will be run'
    this.#report(place, 'FieldValueInvalid', typeOf(schema), why)
    this.#budget = -1
  }

  #report({ path }: Place, type: FieldErrorType, badValue: unknown, detail: string): void {
    this.errors.push({ type, field: path === '' ? '<nil>' : path, badValue, detail })
  }
}

const MAX_MESSAGE_BYTES = 5 * 1024

function typeOf(schema: JsonSchema): string {
  return schema.type ?? ''
}

function errorFor(reason: string | undefined, path: string, badValue: unknown, detail: string): FieldError {
  const field = path === '' ? '<nil>' : path
  switch (reason) {
    case 'FieldValueForbidden':
    case 'FieldValueRequired':
      return { type: reason, field, badValue: '', detail }
    case 'FieldValueDuplicate':
      return { type: reason, field, badValue, detail: '' }
    default:
      return { type: 'FieldValueInvalid', field, badValue, detail }
  }
}

function memoized(ask: () => boolean): () => boolean {
  let known: boolean | undefined
  return () => (known ??= ask())
}
