import { declareFunction, globalOverload, type Library } from '#base/languages/cel/declarations.ts'
import { STRING } from '#base/languages/cel/types.ts'

/** `jsonpatch.escapeKey`: a key as a step of a JSON Pointer (RFC 6901). */
export const JSON_PATCH_LIBRARY: Library = {
  functions: [
    declareFunction(
      'jsonpatch.escapeKey',
      globalOverload('jsonpatch_escapeKey_string', [STRING], STRING, (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
    ),
  ],
}
