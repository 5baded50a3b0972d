import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { KeyToPath } from './key-to-path.ts'
import { validateFileMode, validateFilePath } from './path.rules.ts'

/** Which keys become which files. */
export function validateItems(items: readonly KeyToPath[] | undefined, errors: FieldErrors): void {
  items?.forEach(({ key, path, mode }, index) => {
    const at = errors.index(index)
    if (key === '') at.at('key').required()
    if (path === '') at.at('path').required()
    validateFilePath(path, at.at('path'))
    validateFileMode(mode, at.at('mode'))
  })
}
