import { applyConflict } from '../status/failures.ts'
import { quote } from '../status/go-text.ts'
import type { StatusError } from '../status/status-error.ts'
import type { FieldSet } from './field-set.ts'
import type { Owner } from './managed.ts'
import { pathText } from './steps.ts'

/** A field that an apply would change though another manager owns it. */
export interface Conflict {
  readonly owner: Owner
  readonly fields: FieldSet
}

/** An apply that was refused for its conflicts. Caught where client-side apply is taken over; else it becomes a 409. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  readonly conflicts: readonly Conflict[]

  constructor(conflicts: readonly Conflict[]) {
    super('the apply conflicts with fields of other managers')
    this.conflicts = [...conflicts].sort((left, right) => (ownerText(left.owner) < ownerText(right.owner) ? -1 : 1))
  }

  /** What the client is told: each field and who owns it. */
  toStatusError(): StatusError {
    const fields = this.conflicts.flatMap(({ owner, fields }) =>
      [...fields.paths()].map(path => ({ owner: ownerText(owner), path: pathText(path) })),
    )
    const causes = fields.map(({ owner, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field: path }))
    const first = fields[0]
    if (fields.length === 1 && first)
      return applyConflict(causes, `Apply failed with 1 conflict: conflict with ${first.owner}: ${first.path}`)
    const lines = this.conflicts.flatMap(({ owner, fields }) => [
      `conflicts with ${ownerText(owner)}:`,
      ...[...fields.paths()].map(path => `- ${pathText(path)}`),
    ])
    return applyConflict(causes, `Apply failed with ${fields.length} conflicts: ${lines.join('\n')}`)
  }
}

function ownerText({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = subresource === '' ? quote(manager) : `${quote(manager)} with subresource ${quote(subresource)}`
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
