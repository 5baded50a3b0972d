import type { CelValue } from './values.ts'

/** A node of an expression. `id` is its own within the expression; types and places are kept by it. */
export type Expression =
  | { readonly id: number; readonly kind: 'literal'; readonly value: CelValue }
  | { readonly id: number; readonly kind: 'ident'; readonly name: string }
  | {
      readonly id: number
      readonly kind: 'select'
      readonly operand: Expression
      readonly field: string
      /** Of `has(a.b)`: only whether the field is set. */
      readonly testOnly: boolean
    }
  | Call
  | { readonly id: number; readonly kind: 'list'; readonly elements: readonly Expression[]; readonly optionals: ReadonlySet<number> }
  | { readonly id: number; readonly kind: 'map'; readonly entries: readonly MapEntry[] }
  | { readonly id: number; readonly kind: 'struct'; readonly typeName: string; readonly fields: readonly StructField[] }
  | Comprehension

export interface Call {
  readonly id: number
  readonly kind: 'call'
  readonly function: string
  /** Of a member function, what it is called on. */
  readonly target: Expression | undefined
  readonly arguments: readonly Expression[]
}

export interface MapEntry {
  readonly id: number
  readonly key: Expression
  readonly value: Expression
  /** `{?key: value}`: left out if the value is missing. */
  readonly optional: boolean
}

export interface StructField {
  readonly id: number
  readonly name: string
  readonly value: Expression
  readonly optional: boolean
}

/**
 * What macros such as `all` come down to: `accumulator` starts as `initial`; for each entry of `range`, as long as `condition` holds, it
 * becomes `step`; the value is `result`.
 */
export interface Comprehension {
  readonly id: number
  readonly kind: 'comprehension'
  readonly range: Expression
  /** The element of a list or key of a map; with a second variable, the index or key. */
  readonly variable: string
  /** The element of a list or value of a map. */
  readonly variable2: string | undefined
  readonly accumulator: string
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

/** `a.b.c` as a name; undefined for anything else. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'ident') return expression.name
  if (expression.kind !== 'select' || expression.testOnly) return undefined
  const prefix = qualifiedName(expression.operand)
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`
}

/** A parsed expression and where its nodes stand. */
export interface Ast {
  readonly source: string
  readonly expression: Expression
  /** Offsets by id. */
  readonly offsets: ReadonlyMap<number, number>
}

/** Whether a comprehension only names a value: `cel.bind`. */
export function isBind(node: Comprehension): boolean {
  return (
    node.range.kind === 'list' &&
    node.range.elements.length === 0 &&
    node.condition.kind === 'literal' &&
    node.condition.value === false &&
    !node.accumulator.startsWith('@')
  )
}
