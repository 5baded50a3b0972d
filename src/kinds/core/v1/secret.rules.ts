import { isConfigMapKey } from '#machinery/meta/formats.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { byteLength, textOf } from '../../meta/v1/base64.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { Secret } from './secret.ts'

const MAX_BYTES = 1024 * 1024

/** Keys that can be file names, and what each type of secret promises to hold. */
export function validateSecret(secret: Secret, errors: FieldErrors): void {
  const { data = {}, type, metadata } = secret
  const at = errors.at('data')
  let size = 0
  for (const [key, value] of sortedEntries(data)) {
    at.key(key).invalidEach(key, isConfigMapKey(key))
    size += byteLength(value)
  }
  if (size > MAX_BYTES) at.tooLong(MAX_BYTES)
  const needs = (key: string) => {
    if (data[key] === undefined) at.key(key).required()
  }
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.['kubernetes.io/service-account.name']) {
        errors.at('metadata').at('annotations').key('kubernetes.io/service-account.name').required()
      }
      break
    case 'kubernetes.io/dockercfg':
      validateJson(data['.dockercfg'], at.key('.dockercfg'))
      break
    case 'kubernetes.io/dockerconfigjson':
      validateJson(data['.dockerconfigjson'], at.key('.dockerconfigjson'))
      break
    case 'kubernetes.io/basic-auth':
      if (data['username'] === undefined && data['password'] === undefined) {
        at.key('username').required()
        at.key('password').required()
      }
      break
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) at.key('ssh-privatekey').required()
      break
    case 'kubernetes.io/tls':
      needs('tls.crt')
      needs('tls.key')
  }
}

function validateJson(base64: string | undefined, errors: FieldErrors): void {
  if (base64 === undefined) {
    errors.required()
    return
  }
  const wrong = jsonError(textOf(base64))
  if (wrong !== undefined) errors.invalid('<secret contents redacted>', wrong)
}

/** What Go's decoder says of text that is no JSON object. */
function jsonError(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return syntaxErrorOf(text.trimStart())
  }
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}

function syntaxErrorOf(text: string): string {
  for (const word of ['null', 'true', 'false']) {
    if (text[0] !== word[0]) continue
    for (let at = 1; at < word.length; at++) {
      if (at >= text.length) return 'unexpected end of JSON input'
      if (text[at] !== word[at]) return `invalid character '${text[at]}' in literal ${word} (expecting '${word[at]}')`
    }
  }
  if (/^[[{"\-0-9]/.test(text)) return 'unexpected end of JSON input'
  return `invalid character '${text[0]}' looking for beginning of value`
}
