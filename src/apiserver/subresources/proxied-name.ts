import { BlockList, isIP } from 'node:net'
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
  const family = isIP(address)
  if (family === 0 || OWN.check(address, family === 6 ? 'ipv6' : 'ipv4')) throw badRequest('address not allowed')
}

/** This machine, this link, everybody. The rules for IPv4 hold for IPv6 addresses that stand for such (`::ffff:7f00:1`), however written. */
const OWN = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const) {
  OWN.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  OWN.addSubnet(network, prefix, 'ipv6')
