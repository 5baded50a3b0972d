import { isMap, type JsonSchema, propertyOf, valuesOf } from './json-schema.ts'

/** A path that leads somewhere: its steps, where it ends, and how messages show it. */
export interface FieldPath {
  readonly steps: readonly string[]
  /** `.spec.size`, or `.labels[a.b]` for a key of a map. */
  readonly text: string
  /** Undefined where the schema says nothing of what is there. */
  readonly schema: JsonSchema | undefined
}

/** Follows a path of field and map accesses (`.spec['a.b'].c`) through a schema; a text says what is wrong with it. */
export function fieldPath(path: string, schema: JsonSchema, options: { readonly allowsBrackets?: boolean } = {}): FieldPath | string {
  const { allowsBrackets = true } = options
  const tokens = tokensOf(path)
  const steps: string[] = []
  let text = ''
  let current: JsonSchema | undefined = schema
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    if (token !== '.' && token !== '[') return `expected [ or . but got: ${token}`
    if (token === '[' && !allowsBrackets) return 'array notation is not allowed'
    let name = tokens[++index]
    if (name === undefined) return 'unexpected end of JSON path'
    if (token === '[') {
      if (name.length < 2 || !name.startsWith("'") || !name.endsWith("'")) return `expected single quoted string but got ${name}`
      const unquoted = unescaped(name.slice(1, -1))
      if (unquoted === undefined) return `invalid string literal: invalid escape char ${/\\./.exec(name)?.[0] ?? ''}`
      name = unquoted
    }
    const isDeclared: boolean = current?.properties !== undefined
    if (!current || (!isDeclared && !isMap(current))) return 'does not refer to a valid field'
    if (isDeclared && !propertyOf(current, name)) return 'does not refer to a valid field'
    text += isDeclared ? `.${name}` : `[${name}]`
    current = isDeclared ? propertyOf(current, name) : valuesOf(current)
    steps.push(name)
    if (token !== '[') continue
    const close = tokens[++index]
    if (close === undefined) return 'unexpected end of JSON path'
    if (close !== ']') return `expected ] but got ${close}`
  }
  return { steps, text, schema: current }
}

/** Delimiters, quoted strings, and what stands between. */
function tokensOf(path: string): string[] {
  return path.match(/[.[\]]|'(?:\\.|[^'\\])*'|[^.[\]]+/g) ?? []
}

function unescaped(text: string): string | undefined {
  let isGood = true
  const result = text.replaceAll(/\\(.)/g, (_, char: string) => {
    const meant = ESCAPES[char]
    if (meant === undefined) isGood = false
    return meant ?? ''
  })
  return isGood ? result : undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
}
