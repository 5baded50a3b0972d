import { regexError, tooLong } from './names.ts'

/*
 * Formats that many kinds share, beside those of names. As in names.ts, each check answers with what is wrong.
 */

export function isPortNumber(port: number): readonly string[] {
  return isInRange(port, 1, 65535)
}

export function isInRange(value: number, min: number, max: number): readonly string[] {
  return value >= min && value <= max ? [] : [`must be between ${min} and ${max}, inclusive`]
}

/** A user or group id: 0 to 2^31 - 1. */
export function isUserID(id: number): readonly string[] {
  return isInRange(id, 0, 2147483647)
}

/** An IANA service name, as container and service ports carry: at most 15 of `a-z0-9-`, with a letter. */
export function isPortName(name: string): readonly string[] {
  const wrong = [...tooLong(name, 15)]
  if (!/^[-a-z0-9]+$/.test(name)) wrong.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) wrong.push('must contain at least one letter (a-z)')
  if (name.includes('--')) wrong.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) wrong.push('must not begin or end with a hyphen')
  return wrong
}

/** `25%`. */
export function isPercent(value: string): readonly string[] {
  if (/^[0-9]+%$/.test(value)) return []
  return [regexError("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')]
}

export function isHTTPHeaderName(value: string): readonly string[] {
  if (/^[-A-Za-z0-9]+$/.test(value)) return []
  return [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')]
}

/** The name of an environment variable: printable ASCII without `=`. */
export function isEnvVarName(value: string): readonly string[] {
  if (value === '') return ['environment variable name must be non-empty']
  if (/^[ -<>-~]+$/.test(value)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** A key of a ConfigMap or Secret, which may become a file name. */
export function isConfigMapKey(value: string): readonly string[] {
  const wrong = [...tooLong(value, 253)]
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    wrong.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    )
  }
  if (value === '.') wrong.push("must not be '.'")
  else if (value === '..') wrong.push("must not be '..'")
  else if (value.startsWith('..')) wrong.push("must not start with '..'")
  return wrong
}

/** A C identifier: `[A-Za-z_][A-Za-z0-9_]*`. */
export function isCIdentifier(value: string): readonly string[] {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) return []
  const text = "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'"
  return [regexError(text, '[A-Za-z_][A-Za-z0-9_]*', 'my_name', 'MY_NAME', 'MyName')]
}

/** The reason of a condition. */
export function isConditionReason(value: string): readonly string[] {
  if (/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(value)) return []
  const text =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"
  return [regexError(text, '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?', 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')]
}
