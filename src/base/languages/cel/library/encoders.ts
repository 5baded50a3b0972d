import { declareFunction, globalOverload, type Library } from '../declarations.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { BYTES, STRING } from '../types.ts'

/** `base64.encode` and `base64.decode`; the padding may be left out. */
export const ENCODERS_LIBRARY: Library = {
  functions: [
    declareFunction(
      'base64.decode',
      globalOverload('base64_decode_string', [STRING], BYTES, (text: string) => {
        const bare = text.replace(/=+$/, '')
        if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) {
          const at = text.search(/[^A-Za-z0-9+/]/)
          throw new EvaluationError(`illegal base64 data at input byte ${at < 0 ? bare.length : at}`)
        }
        const binary = atob(bare)
        return Uint8Array.from(binary, character => character.charCodeAt(0))
      }),
    ),
    declareFunction(
      'base64.encode',
      globalOverload('base64_encode_bytes', [BYTES], STRING, (bytes: Uint8Array) => {
        let binary = ''
        for (const byte of bytes) binary += String.fromCharCode(byte)
        return btoa(binary)
      }),
    ),
  ],
}
