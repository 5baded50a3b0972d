import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { ALL_VERBS, type AnyKind, defineKind, objectSchema, type Subresource } from '#machinery/kind/kind.ts'
import type { JsonSchema } from '#machinery/structural/json-schema.ts'
import { columnsOf } from './columns.ts'
import type { Conversion } from './conversion.ts'
import { customHooks } from './custom-hooks.ts'
import { selectableFieldsOf } from './selectable-fields.ts'

/** What a definition makes the server serve. */
export interface CustomKinds {
  /** What the store and its cache keep: objects as they were written, in whatever version. Nobody asks for it by itself. */
  readonly stored: AnyKind
  /** One for each served version. */
  readonly served: readonly AnyKind[]
}

/** The kinds of a definition whose names have been accepted. They are kinds like any other; what is theirs stands in `view` and `hooks`. */
export function customKinds(definition: CustomResourceDefinition, conversion: Conversion): CustomKinds {
  const { group, versions } = definition.spec
  const storage = versions.find(version => version.storage) ?? versions[0]!
  const base = (version: CustomResourceDefinitionVersion) => kindOf(definition, version)
  const anything: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const stored: AnyKind = {
    ...base(storage),
    schema: openSchema(definition, storage.name, anything),
    hooks: { selectableFields: Object.assign({}, ...versions.map(selectableFieldsOf)) },
  }
  const toStorage = `${group}/${storage.name}`
  const served = versions
    .filter(version => version.served)
    .map((version): AnyKind => {
      const schema = version.schema?.openAPIV3Schema as JsonSchema
      const apiVersion = `${group}/${version.name}`
      const prepare = conversion.prepare && ((objects: readonly Record<string, unknown>[]) => conversion.prepare!(objects, apiVersion))
      return {
        ...base(version),
        schema: openSchema(definition, version.name, schema),
        hooks: customHooks(version, schema, definition.metadata.deletionTimestamp !== undefined),
        view: {
          of: stored,
          isIndependent: true,
          up: object => conversion.convert(object, toStorage),
          down: object => conversion.convert(object, apiVersion),
          ...(prepare ? { prepare } : {}),
        },
      }
    })
  return { stored, served }
}

function kindOf(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion): AnyKind {
  const { group, scope } = definition.spec
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = definition.status.acceptedNames
  const declared = defineKind({
    group,
    version: version.name,
    kind,
    plural,
    scope: scope as 'Namespaced',
    openapi: '',
    singular,
    shortNames,
    categories,
    verbs: ALL_VERBS,
    subresources: subresourcesOf(version),
    unconditionalUpdate: false,
    freeFinalizers: true,
    generation: true,
    storagePrefix: `${group}/${plural}`,
    columns: columnsOf(version.additionalPrinterColumns),
  })
  const warning = version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`
  return { ...declared, listKind, isCustom: true, ...(version.deprecated ? { deprecationWarning: warning } : {}) }
}

/** As OpenAPI names it: the group backwards, `com.example.v1.Widget`. */
function openSchema({ spec, status }: CustomResourceDefinition, version: string, open: JsonSchema) {
  const name = [...spec.group.split('.').reverse(), version, status.acceptedNames.kind].join('.')
  const schema = objectSchema(name, {}, open.description ?? '')
  return { ...schema, shape: { ...schema.shape, open } }
}

function subresourcesOf({ subresources }: CustomResourceDefinitionVersion): Subresource[] {
  const verbs = ['get', 'patch', 'update'] as const
  const scale = subresources?.scale
  return [
    ...(subresources?.status ? [{ name: 'status', verbs }] : []),
    ...(scale
      ? [
          {
            name: 'scale',
            verbs,
            kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            scale: {
              replicas: scale.specReplicasPath,
              statusReplicas: scale.statusReplicasPath,
              ...(scale.labelSelectorPath ? { selector: scale.labelSelectorPath } : {}),
            },
          },
        ]
      : []),
  ]
}
