import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateSignerName } from '../../core/v1/projected-volume.rules.ts'
import type { ClusterTrustBundleSpec } from './cluster-trust-bundle.ts'

/** How a bundle may be called: with a signer `domain:path:` comes first, without one there is no colon. */
export function nameOfTrustBundle(name: string, signerName: string): readonly string[] {
  if (signerName === '')
    return name.includes(':') ? ['ClusterTrustBundle without signer name must not have ":" in its name'] : isDNS1123Subdomain(name)
  const prefix = `${signerName.replaceAll('/', ':')}:`
  if (!name.startsWith(prefix)) return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`]
  return isDNS1123Subdomain(name.slice(prefix.length))
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g

/** PEM blocks of certificates, none twice, and at least one. What stands in them is for those to judge who trust them. */
export function validateTrustBundle({ signerName = '', trustBundle }: ClusterTrustBundleSpec, errors: FieldErrors): void {
  if (signerName !== '') validateSignerName(signerName, errors.at('signerName'))
  const at = errors.at('trustBundle')
  const seen = new Map<string, number>()
  let count = 0
  for (const [, type, body = ''] of trustBundle.matchAll(BLOCK)) {
    const entry = count++
    if (type !== 'CERTIFICATE') at.invalid(OMITTED, `entry ${entry} has bad block type: ${type}`)
    else if (body.includes(':')) at.invalid(OMITTED, `entry ${entry} has PEM block headers`)
    else if (!isCertificate(body)) at.invalid(OMITTED, `entry ${entry} does not parse as X.509`)
    const text = body.replaceAll(/\s/g, '')
    const before = seen.get(text)
    if (before !== undefined) at.invalid(OMITTED, `duplicate trust anchor (indices [${before} ${entry}])`)
    seen.set(text, entry)
  }
  if (count === 0) at.invalid(OMITTED, 'at least one trust anchor must be provided')
}

const OMITTED = '<value omitted>'

/** A DER sequence, as long as it says. */
function isCertificate(base64: string): boolean {
  const text = base64.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return false
  const bytes = atob(text)
  const [tag, first] = [bytes.charCodeAt(0), bytes.charCodeAt(1)]
  if (tag !== 0x30 || first < 0x82 || first > 0x84) return false
  const width = first - 0x80
  let length = 0
  for (let index = 0; index < width; index++) length = length * 256 + bytes.charCodeAt(2 + index)
  return bytes.length === 2 + width + length
}
