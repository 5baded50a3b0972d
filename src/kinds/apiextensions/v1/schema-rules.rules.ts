import { mostInRequest } from '#machinery/cel/structural-types.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { type CompiledRule, rulesOf } from '#machinery/structural/compiled-rules.ts'
import { IS_RESOURCE, itemsOf, type JsonSchema, LIST_TYPE, MAP_TYPE, RULES, valuesOf } from '#machinery/structural/json-schema.ts'
import { internal, sortedEntries } from '../../meta/v1/rules.ts'

/** What one rule, and all rules of a schema together, may be estimated to cost. */
const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
/** So many of the dearest rules are named when all together cost too much, as long as they cost a part that matters. */
const NAMED_RULES = 4
const NAMED_SHARE = 0.01
const MAX_COST = 2 ** 64

interface Place {
  readonly isResource: boolean
  /** How many values of this place an object can have; undefined: as many as fit in a request. */
  readonly count: number | undefined
  /** The innermost part around this place whose values cannot be told apart before and after an update. */
  readonly uncorrelated: string | undefined
}

interface Walk {
  /** Where the schema itself is wrong: rules there are not looked at. */
  readonly wrong: readonly string[]
  /** Rules that were let in before may cost what they cost. */
  readonly isKnown: boolean
  total: number
  readonly dear: { readonly at: FieldErrors; readonly cost: number }[]
}

/** The rules of a schema can be compiled, compare only what can be compared, and cost no more than a server can bear. */
export function validateSchemaRules(
  schema: JsonSchema,
  errors: FieldErrors,
  options: { readonly wrong: readonly string[]; readonly isKnown?: boolean },
): void {
  const walk: Walk = { wrong: options.wrong, isKnown: options.isKnown ?? false, total: 0, dear: [] }
  validate(schema, { isResource: true, count: 1, uncorrelated: undefined }, errors, walk)
  if (walk.total <= SCHEMA_LIMIT) return
  const dearest = walk.dear.sort((left, right) => right.cost - left.cost).slice(0, NAMED_RULES)
  for (const { at } of dearest) at.forbidden('contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema')
  errors.forbidden(exceeding('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', walk.total, SCHEMA_LIMIT))
}

function validate(schema: JsonSchema, place: Place, errors: FieldErrors, walk: Walk): void {
  const values = valuesOf(schema)
  if (values) {
    const inner = { ...place, isResource: isResource(values), count: product(place.count, schema.maxProperties) }
    validate(values, inner, errors.at('additionalProperties'), walk)
  }
  const mapType = schema[MAP_TYPE] ?? 'granular'
  const isKnownMap = mapType === 'granular' || mapType === 'atomic'
  for (const [name, part] of sortedEntries(schema.properties)) {
    const uncorrelated = isKnownMap ? place.uncorrelated : (place.uncorrelated ?? errors.path)
    validate(part, { ...place, isResource: isResource(part), uncorrelated }, errors.at('properties').key(name), walk)
  }
  const items = itemsOf(schema)
  if (items) {
    const uncorrelated = schema[LIST_TYPE] === 'map' ? place.uncorrelated : (place.uncorrelated ?? errors.path)
    const inner = { isResource: isResource(items), count: product(place.count, schema.maxItems), uncorrelated }
    validate(items, inner, errors.at('items'), walk)
  }
  if (schema[RULES]?.length) validateRulesHere(schema, place, errors, walk)
}

function isResource(schema: JsonSchema): boolean {
  return schema[IS_RESOURCE] === true
}

function product(count: number | undefined, more: number | undefined): number | undefined {
  return count === undefined || more === undefined ? undefined : Math.min(count * Math.max(more, 0), MAX_COST)
}

function validateRulesHere(schema: JsonSchema, place: Place, errors: FieldErrors, walk: Walk): void {
  const path = errors.path
  if (walk.wrong.some(field => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`))) return
  const at = errors.at(RULES)
  const compiled = rulesOf(schema, place.isResource)
  if (!compiled) {
    at.internal('internal error: failed to retrieve type information for x-kubernetes-validations')
    return
  }
  const count = place.count ?? mostInRequest(schema, place.isResource) ?? 1
  compiled.rules.forEach((rule, index) => void validateRule(rule, count, place, at.index(index), walk))
}

function validateRule(compiled: CompiledRule, count: number, place: Place, errors: FieldErrors, walk: Walk): void {
  const { rule, program, error, message, messageError, usesOldSelf } = compiled
  observe('estimated rule cost', Math.min(compiled.maxCost * count, MAX_COST), errors.at('rule'), walk)
  if (error !== undefined) errors.at('rule').invalid(internal(rule), error)
  if (messageError !== undefined) errors.at('messageExpression').invalid(internal(rule), messageError)
  else if (message) observe('estimated messageExpression cost', compiled.messageMaxCost, errors.at('messageExpression'), walk)
  if (usesOldSelf) {
    if (place.uncorrelated === undefined) return
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`
    errors.at('rule').invalid(rule.rule, why)
  } else if (program && rule.optionalOldSelf !== undefined) {
    errors.at('optionalOldSelf').invalid(rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
  }
}

function observe(what: string, cost: number, errors: FieldErrors, walk: Walk): void {
  if (cost > RULE_LIMIT && !walk.isKnown) errors.forbidden(exceeding(what, cost, RULE_LIMIT))
  walk.total = Math.min(walk.total + cost, MAX_COST)
  if (cost >= SCHEMA_LIMIT * NAMED_SHARE) walk.dear.push({ at: errors, cost })
}

function exceeding(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const text = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`
  const hint = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `${what} exceeds budget by factor of ${text} (${hint})`
}
