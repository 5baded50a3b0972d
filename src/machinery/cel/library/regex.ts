import { declareFunction, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { regex } from '#base/languages/cel/regex.ts'
import { INT, listOf, STRING } from '#base/languages/cel/types.ts'
import { ArrayList } from '#base/languages/cel/values.ts'

/** `find` and `findAll`, on RE2. */
export const REGEX_LIBRARY: Library = {
  functions: [
    declareFunction(
      'find',
      memberOverload('string_find_string', [STRING, STRING], STRING, (text: string, pattern: string) => {
        const matcher = regex(pattern).matcher(text)
        return matcher.find() ? (matcher.group() ?? '') : ''
      }),
    ),
    declareFunction(
      'findAll',
      memberOverload('string_find_all_string', [STRING, STRING], listOf(STRING), (text: string, pattern: string) =>
        findAll(text, pattern, -1n),
      ),
      memberOverload('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), findAll),
    ),
  ],
}

function findAll(text: string, pattern: string, limit: bigint): ArrayList {
  const found: string[] = []
  const matcher = regex(pattern).matcher(text)
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return new ArrayList(found)
}
