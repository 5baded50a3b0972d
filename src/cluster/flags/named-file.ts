import { readFileSync } from 'node:fs'
import { SetupError } from '../setup-error.ts'

/** The text of the file that `flag` names; undefined if the flag is empty. Throws a SetupError that names both. */
export function namedFile(flag: string, file: string): string | undefined {
  if (file === '') return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SetupError(`${flag}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, 'check the path and its permissions')
  }
}

/** The same of a file that must be named. */
export function neededFile(flag: string, file: string): string {
  const text = namedFile(flag, file)
  if (text === undefined) throw new SetupError(`${flag} names no file`, 'give one that exists and that this user may read')
  return text
}
