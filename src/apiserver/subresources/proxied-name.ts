import { isIP } from 'node:net'
import { badRequest } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'

/** `https:name:port`, `name:port`, `https:name:` or `name`, taken apart. */
export interface ProxiedName {
  readonly scheme: '' | 'http' | 'https'
  readonly name: string
  readonly port: string
}

/** Takes the name of a proxied object apart; a 400 if it cannot be one. */
export function proxiedName(of: 'pod' | 'service' | 'node', text: string): ProxiedName {
  const parts = text.split(':')
  const [scheme, name, port] = parts.length === 1 ? ['', parts[0]!, ''] : parts.length === 2 ? ['', parts[0]!, parts[1]!] : parts
  const isKnown = scheme === '' || scheme === 'http' || scheme === 'https'
  if (parts.length > 3 || !isKnown || !name) throw badRequest(`invalid ${of} request ${quote(text)}`)
  return { scheme: scheme as ProxiedName['scheme'], name, port: port ?? '' }
}

/** Refuses addresses that lead back to this machine or to its link: a pod's status says them, and not every writer of it is trusted. */
export function checkProxied(address: string): void {
  if (isIP(address) === 0 || isOwn(address.toLowerCase())) throw badRequest('address not allowed')
}

function isOwn(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  if (isIP(plain) === 4) return /^(127\.|0\.|169\.254\.|22[4-9]\.|23\d\.|255\.255\.255\.255$)/.test(plain)
  return plain === '::' || plain === '::1' || /^fe[89ab]/.test(plain) || plain.startsWith('ff') || plain.startsWith('::ffff:')
}
