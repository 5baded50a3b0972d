import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'

/** How objects are shown as a whole. */
export type ObjectFormat = 'json' | 'yaml' | 'name'

/** Any object, as far as it is looked at here. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string }
  readonly items?: readonly KubernetesObject[]
}

/** One object as kubectl prints it. */
export function objectText(object: KubernetesObject, format: ObjectFormat): string {
  return format === 'name' ? nameText(object) : textOf(object, format)
}

/** Several objects: their names, or one List of them. */
export function listText(objects: readonly KubernetesObject[], format: ObjectFormat): string {
  if (format === 'name') return objects.map(nameText).join('')
  return textOf({ apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } }, format)
}

/** Any value in one of the two languages. */
export function textOf(value: object, format: 'json' | 'yaml'): string {
  return format === 'yaml' ? encodeYaml(value) : `${JSON.stringify(value, null, 4)}\n`
}

function nameText({ apiVersion, kind, metadata }: KubernetesObject): string {
  const slash = apiVersion.indexOf('/')
  return `${kind.toLowerCase()}${slash < 0 ? '' : `.${apiVersion.slice(0, slash)}`}/${metadata.name}\n`
}
