import type { Secret } from './secret.ts'

/** A token with which machines join, as a secret of kube-system holds it. */
export interface BootstrapToken {
  readonly id: string
  readonly secret: string
  /** Milliseconds since the epoch; absent: it never ends. A time that nobody can read counts as past. */
  readonly expiresMs: number | undefined
  /** What it is good for: `authentication`, `signing`. */
  readonly usages: readonly string[]
}

export const BOOTSTRAP_TOKEN_TYPE = 'bootstrap.kubernetes.io/token'
const PREFIX = 'bootstrap-token-'
const USAGE = 'usage-bootstrap-'

/** The token that a secret holds; undefined if it is no whole one. */
export function bootstrapTokenOf({ metadata, type, data = {} }: Secret): BootstrapToken | undefined {
  if (type !== BOOTSTRAP_TOKEN_TYPE || metadata.namespace !== 'kube-system') return undefined
  const text = (key: string) => (data[key] === undefined ? '' : atob(data[key]))
  const [id, secret] = [text('token-id'), text('token-secret')]
  if (!/^[a-z0-9]{6}$/.test(id) || metadata.name !== PREFIX + id || secret === '') return undefined
  const usages = Object.keys(data).flatMap(key => (key.startsWith(USAGE) && text(key) === 'true' ? [key.slice(USAGE.length)] : []))
  return { id, secret, expiresMs: expiryOf(text('expiration')), usages }
}

/** When a secret's `expiration` is, in milliseconds since the epoch. */
function expiryOf(text: string): number | undefined {
  if (text === '') return undefined
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? 0 : ms
}
