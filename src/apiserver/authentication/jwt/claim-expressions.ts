import type { Environment } from '#base/languages/cel/environment.ts'
import { jsonValue, typedJsonValue } from '#base/languages/cel/json-values.ts'
import { parse } from '#base/languages/cel/parser.ts'
import type { CelProgram } from '#base/languages/cel/program.ts'
import { ANY, BOOL, type CelType, DYN, listOf, mapOf, objectType, STRING } from '#base/languages/cel/types.ts'
import { CelList, type CelValue } from '#base/languages/cel/values.ts'
import { nodesOf } from '#base/languages/cel/walk.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { kubernetesEnvironment, PER_CALL_COST_LIMIT } from '#machinery/cel/kubernetes-environment.ts'

/** An expression over the claims of a token, or over a user. Throws what went wrong when it is evaluated. */
export type Expression<T> = (about: T) => CelValue

/** What an expression is compiled to, or what is wrong with it. */
export type Compiled<T> = { readonly evaluate: Expression<T>; readonly problem?: undefined } | { readonly problem: string }

const USER = objectType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

/** CEL over `claims`, of whatever type (`expects` any) or a condition. */
export function claimsExpression(source: string, expects: 'any' | 'bool'): Compiled<Readonly<Record<string, unknown>>> {
  claimsEnvironment ??= kubernetesEnvironment().extend({ variables: { claims: mapOf(STRING, DYN) } })
  return compiled(claimsEnvironment, source, expects === 'bool' ? BOOL : ANY, claims => ({ claims: jsonValue(claims) }))
}

/** CEL over `user`, a condition. */
export function userExpression(source: string): Compiled<UserInfo> {
  userEnvironment ??= kubernetesEnvironment().extend({ variables: { user: USER } })
  return compiled(userEnvironment, source, BOOL, ({ name, uid = '', groups, extra = {} }) => ({
    user: typedJsonValue({ username: name, uid, groups, extra }, USER),
  }))
}

/** Made with the first expression: most servers have none. */
let claimsEnvironment: Environment | undefined
let userEnvironment: Environment | undefined

function compiled<T>(
  environment: Environment,
  source: string,
  expects: CelType,
  bindings: (about: T) => Readonly<Record<string, CelValue>>,
): Compiled<T> {
  const compilation = environment.compile(source, { expects: [expects] })
  if (compilation.issues !== undefined) {
    return { problem: compilation.mismatch ? 'must evaluate to bool' : `compilation failed: ${compilation.issues}` }
  }
  const { program } = compilation
  return { evaluate: about => resultOf(program, bindings(about)) }
}

function resultOf(program: CelProgram, bindings: Readonly<Record<string, CelValue>>): CelValue {
  const result = program.evaluate(bindings, PER_CALL_COST_LIMIT)
  if (result.error !== undefined) throw new Error(result.error)
  return result.value
}

/** Whether an expression reads the claim `name` by `claims.name` or `claims.?name`. */
export function readsClaim(source: string, name: string): boolean {
  const parsed = parse(source, new Map())
  if ('issues' in parsed) return false
  for (const node of nodesOf(parsed.ast.expression)) {
    if (node.kind === 'select' && node.field === name && isClaims(node.operand)) return true
    if (node.kind !== 'call' || node.function !== '_?._') continue
    const [operand, field] = node.arguments
    if (operand && isClaims(operand) && field?.kind === 'literal' && field.value === name) return true
  }
  return false
}

function isClaims(node: { readonly kind: string; readonly name?: string }): boolean {
  return node.kind === 'ident' && node.name === 'claims'
}

/** A text or a list of texts; empty ones count as absent. Throws for anything else. */
export function textsOf(value: CelValue): string[] {
  if (value === null || value === '') return []
  if (typeof value === 'string') return [value]
  const wrong = () => new Error('expression must return a string or a list of strings')
  if (!(value instanceof CelList)) throw wrong()
  return [...value].flatMap(element => {
    if (typeof element !== 'string') throw wrong()
    return element === '' ? [] : [element]
  })
}
