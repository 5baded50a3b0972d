import type { ApiObject, Column } from '#machinery/kind/kind.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import type { RoleRef } from './role-ref.ts'
import { type Subject, subjectsText } from './subject.ts'

type Binding = ApiObject & { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] | undefined }

/** The role that a binding gives, and to whom. `name`: how columns call the kind; `role`: what is said of the role. */
export function bindingColumns(name: string, role: string): readonly Column<Binding>[] {
  const subjects = (title: string, kind: string): Column<Binding> => ({
    name: title,
    description: `${title} in the ${name}`,
    priority: 1,
    of: ({ subjects }) => subjectsText(subjects, kind),
  })
  return [
    nameColumn,
    { name: 'Role', description: role, of: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
    ageColumn,
    subjects('Users', 'User'),
    subjects('Groups', 'Group'),
    subjects('ServiceAccounts', 'ServiceAccount'),
  ]
}
