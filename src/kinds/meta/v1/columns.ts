import type { ApiObject, Column } from '#machinery/kind/kind.ts'
import { LabelSelector, type LabelSelectorObject } from '#machinery/selectors/label-selector.ts'
import { humanDuration } from './human-duration.ts'

/** What stands in a cell where there is nothing. */
export const NONE = '<none>'

/** What is said of the columns that nearly every kind has. */
export const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'
export const AGE_DESCRIPTION =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

export const nameColumn: Column<ApiObject> = {
  name: 'Name',
  format: 'name',
  description: NAME_DESCRIPTION,
  of: object => object.metadata.name ?? '',
}

export const ageColumn: Column<ApiObject> = {
  name: 'Age',
  description: AGE_DESCRIPTION,
  of: (object, { now }) => since(object.metadata.creationTimestamp, now),
}

/** How long ago that was: `5m`, `3d2h`. */
export function since(time: string | null | undefined, now: number): string {
  return time ? humanDuration(now - Date.parse(time)) : '<unknown>'
}

/** Names of containers and of their images, for wide tables. */
export function containerColumns<T>(
  containersOf: (object: T) => readonly { readonly name: string; readonly image?: string | undefined }[] | undefined,
  priority = 1,
): readonly Column<T>[] {
  return [
    {
      name: 'Containers',
      description: 'Names of each container in the template.',
      priority,
      of: object => (containersOf(object) ?? []).map(container => container.name).join(','),
    },
    {
      name: 'Images',
      description: 'Images referenced by each container in the template.',
      priority,
      of: object => (containersOf(object) ?? []).map(container => container.image ?? '').join(','),
    },
  ]
}

/** `app=web,tier in (a,b)`. */
export function selectorText(selector: LabelSelectorObject | undefined): string {
  return LabelSelector.ofObject(selector).toString() || NONE
}

/** `app=web,tier=a`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.sort().join(',') || NONE
}

/** `a,b,c + 2 more...` */
export function firstThree(values: readonly string[]): string {
  if (values.length === 0) return NONE
  const shown = values.slice(0, 3).join(',')
  return values.length > 3 ? `${shown} + ${values.length - 3} more...` : shown
}
