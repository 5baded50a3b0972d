import type { FieldErrors } from '#machinery/status/field-errors.ts'

/** A path may not climb out of where it starts. */
export function validateNoBacksteps(path: string, errors: FieldErrors): void {
  if (path.split('/').includes('..')) errors.invalid(path, "must not contain '..'")
}

/** A path below some directory. */
export function validateDescendingPath(path: string, errors: FieldErrors): void {
  if (path.startsWith('/')) errors.invalid(path, 'must be a relative path')
  validateNoBacksteps(path, errors)
}

/** The same for files that are written atomically: names beginning with two dots are kept for that. */
export function validateFilePath(path: string, errors: FieldErrors): void {
  validateDescendingPath(path, errors)
  if (path.startsWith('..') && !path.startsWith('../')) errors.invalid(path, "must not start with '..'")
}

/** The permissions of a file. */
export function validateFileMode(mode: number | undefined, errors: FieldErrors): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) errors.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}
