import { message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Subject = message(
  'io.k8s.api.rbac.v1.Subject',
  {
    kind: required(1, string, '`User`, `Group` or `ServiceAccount`.'),
    apiGroup: omitempty(2, string, 'The API group; empty for the core one.'),
    name: required(3, string, 'Who.'),
    namespace: omitempty(4, string, 'The namespace of a service account.'),
  },
  {
    mapType: 'atomic',
    applyDefaults(subject) {
      if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= 'rbac.authorization.k8s.io'
    },
  },
)
export interface Subject extends StoredOf<typeof Subject> {}

/** The names of the subjects of one kind; of service accounts with their namespace. */
export function subjectsText(subjects: readonly Subject[] | undefined, kind: string): string {
  const ofKind = (subjects ?? []).filter(subject => subject.kind === kind)
  return ofKind.map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name)).join(', ')
}
