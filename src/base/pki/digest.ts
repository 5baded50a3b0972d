import { createHash, createHmac } from 'node:crypto'

/** SHA-256 of a text's UTF-8 bytes, as lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** HMAC with SHA-256 of a text under a key, as base64url without padding (RFC 7515's `HS256`). */
export function hmacSha256(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}
