/**
 * What a plain (unquoted) word of YAML means to Kubernetes: YAML 1.1 as the Go library reads it. `y` and `off` are booleans, `010` is
 * eight, dates stay text.
 */
export function plainValue(text: string): unknown {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e) return numberOf(text) ?? text
  return text
}

/** Whether `text` written plainly would be read as something else than this very text. */
export function isAmbiguous(text: string): boolean {
  return typeof plainValue(text) !== 'string' || text === '<<' || TIMESTAMP.test(text) || BASE60.test(text)
}

const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word): [string, unknown] => [word, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word): [string, unknown] => [word, false]),
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, unknown] => [word, null]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, unknown] => [word, Number.NaN]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, unknown] => [word, Number.POSITIVE_INFINITY]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, unknown] => [word, Number.NEGATIVE_INFINITY]),
])

const INTEGER = /^([+-]?)(0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}|0[oO][0-7]{1,22}|0[0-7]{0,22}|[1-9][0-9]{0,19})$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const TIMESTAMP =
  /^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)? ?(?:Z|[+-][0-9:]+)?)$/
const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

function numberOf(text: string): number | bigint | undefined {
  const plain = text.includes('_') ? text.replaceAll('_', '') : text
  const match = INTEGER.exec(plain)
  if (match) {
    const [, sign, digits = ''] = match
    const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
    const value = sign === '-' ? -size : size
    if (value < 2n ** 64n && value >= -(2n ** 63n)) return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  if (!FLOAT.test(plain)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? value : undefined
}
