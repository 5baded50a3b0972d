/** How many bytes base64 text stands for. */
export function byteLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return (base64.length / 4) * 3 - padding
}

/** The bytes that base64 stands for. */
export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), char => char.charCodeAt(0))
}

/** The text that base64 stands for, read as UTF-8. */
export function textOf(base64: string): string {
  return new TextDecoder().decode(bytesOf(base64))
}
