/** Why a connection or a stream is ended (RFC 9113, section 7). */
export const ERROR_CODES = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const

export type ErrorName = keyof typeof ERROR_CODES

/** The peer broke the protocol: the connection ends. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error'
  readonly code: ErrorName

  constructor(code: ErrorName, message: string) {
    super(message)
    this.code = code
  }
}
