/** A block of PEM (RFC 7468). */
export interface PemBlock {
  readonly type: string
  readonly der: Uint8Array
}

const BLOCK = /^-----BEGIN ([^\n-]*)-----[ \t]*\r?\n([\s\S]*?)^-----END \1-----/gm

/** The blocks of a text, in order. What is around them, or is not base64 within, does not count. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].flatMap(([, type = '', body = '']) => {
    const base64 = withoutHeaders(body).replaceAll(/\s/g, '')
    return /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0 ? [{ type, der: Buffer.from(base64, 'base64') }] : []
  })
}

/** Lines `Name: value` may stand first, with an empty line behind them. */
function withoutHeaders(body: string): string {
  const end = /^\r?\n/m.exec(body)
  return end && body.slice(0, end.index).includes(':') ? body.slice(end.index) : body
}
