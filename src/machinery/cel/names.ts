/** Words of the language that cannot be the name of a field as they are. */
const RESERVED: ReadonlySet<string> = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package',
  'namespace', 'return', 'var', 'void', 'while',
]) // biome-ignore format: a table

/**
 * The name by which expressions reach a property: `a.b` is `a__dot__b`, `x-y` is `x__dash__y`, `namespace` is `__namespace__`. Undefined for
 * a property that no expression can reach. Upstream's `Escape`.
 */
export function escapeProperty(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined
  if (RESERVED.has(name)) return `__${name}__`
  return name.replace(/__|\.|-|\//g, part => ESCAPES[part]!)
}

const ESCAPES: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }
