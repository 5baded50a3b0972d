import type { Environment } from '#base/languages/cel/environment.ts'
import type { CelProgram } from '#base/languages/cel/program.ts'
import { BOOL, type CelType, optionalOf, STRING } from '#base/languages/cel/types.ts'
import { kubernetesEnvironment } from '../cel/kubernetes-environment.ts'
import { typeOfStructuralSchema } from '../cel/structural-types.ts'
import { fieldPath } from './field-path.ts'
import { type JsonSchema, RULES, type SchemaRule } from './json-schema.ts'

/** A rule of a schema, ready to be asked; or what is wrong with it. */
export interface CompiledRule {
  readonly rule: SchemaRule
  /** Undefined where the rule is empty or cannot be compiled. */
  readonly program?: CelProgram
  readonly error?: string
  /** The most that asking it once is estimated to cost. */
  readonly maxCost: number
  /** It compares with the value before. */
  readonly usesOldSelf: boolean
  readonly message?: CelProgram
  readonly messageError?: string
  readonly messageMaxCost: number
  /** The field that is blamed, as a path below the rule's own place; '' for that place. */
  readonly blames: string
}

/** The rules of one place in a schema. */
export interface CompiledRules {
  readonly type: CelType
  readonly rules: readonly CompiledRule[]
}

const compiled = new WeakMap<JsonSchema, { whole?: CompiledRules | undefined; part?: CompiledRules | undefined }>()

/**
 * The rules that stand at a schema, compiled once; undefined if nothing is known of the type of its values. `isResource`: they are whole
 * objects, whose type and name can be asked for.
 */
export function rulesOf(schema: JsonSchema, isResource: boolean): CompiledRules | undefined {
  let known = compiled.get(schema)
  if (!known) {
    known = {}
    compiled.set(schema, known)
  }
  const form = isResource ? 'whole' : 'part'
  if (!(form in known)) known[form] = compile(schema, isResource)
  return known[form]
}

function compile(schema: JsonSchema, isResource: boolean): CompiledRules | undefined {
  const type = typeOfStructuralSchema(schema, isResource)
  if (!type) return undefined
  const always = kubernetesEnvironment().extend({ variables: { self: type, oldSelf: type } })
  const perhaps = () => kubernetesEnvironment().extend({ variables: { self: type, oldSelf: optionalOf(type) } })
  const rules = (schema[RULES] ?? []).map(rule => compileRule(rule, schema, rule.optionalOldSelf ? perhaps() : always))
  return { type, rules }
}

const NOTHING = { maxCost: 0, usesOldSelf: false, messageMaxCost: 0, blames: '' }

function compileRule(rule: SchemaRule, schema: JsonSchema, environment: Environment): CompiledRule {
  if (rule.rule.trim() === '') return { rule, ...NOTHING }
  const result = environment.compile(rule.rule, { expects: [BOOL] })
  if (result.issues !== undefined) {
    const error = result.mismatch ? 'cel expression must evaluate to a bool' : `compilation failed: ${result.issues}`
    return { rule, ...NOTHING, error }
  }
  const path = rule.fieldPath ? fieldPath(rule.fieldPath, schema) : undefined
  return {
    rule,
    program: result.program,
    maxCost: result.cost.max,
    usesOldSelf: result.variables.has('oldSelf'),
    blames: path && typeof path !== 'string' ? path.text.replace(/^\./, '') : '',
    ...compileMessage(rule.messageExpression ?? '', environment),
  }
}

function compileMessage(
  expression: string,
  environment: Environment,
): Pick<CompiledRule, 'messageMaxCost'> & Partial<Pick<CompiledRule, 'message' | 'messageError'>> {
  if (expression.trim() === '') return { messageMaxCost: 0 }
  const result = environment.compile(expression, { expects: [STRING] })
  if (result.issues === undefined) return { message: result.program, messageMaxCost: result.cost.max }
  const messageError = result.mismatch
    ? 'messageExpression must evaluate to a string'
    : `messageExpression compilation failed: ${result.issues}`
  return { messageMaxCost: 0, messageError }
}
