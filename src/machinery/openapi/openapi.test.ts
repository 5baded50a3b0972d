import { describe, expect, it } from 'vitest'
import { readMessage } from '../codec/protobuf/decode-message.ts'
import { encodeMessage } from '../codec/protobuf/envelope.ts'
import { defineKind } from '../kind/kind.ts'
import {
  int32,
  intOrString,
  list,
  listMap,
  message,
  omitempty,
  oneOf,
  optional,
  patched,
  quantity,
  required,
  string,
  time,
} from '../schema/schema.ts'
import { encodeOpenApiV2 } from './encode-openapi-v2.ts'
import { encodeOpenApiV3 } from './encode-openapi-v3.ts'
import { GnosticDocument } from './gnostic-types.ts'
import { GnosticV3Document } from './gnostic-v3-types.ts'
import { type OpenApiSource, openApiV2Document, openApiV3Document, openApiV3Paths } from './openapi-document.ts'
import { groupName } from './operations.ts'

const Part = message('io.k8s.api.apps.v1.Part', { name: required(1, string), size: optional(2, quantity) }, { documentation: 'A part.' })
const WidgetSpec = message('io.k8s.api.apps.v1.WidgetSpec', {
  replicas: optional(1, int32, 'How many.'),
  mode: required(2, oneOf('B', 'A')),
  parts: omitempty(3, listMap(Part, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
  tags: omitempty(4, list(string)),
  since: optional(5, time),
  port: patched(optional(6, intOrString), 'retainKeys'),
})
const Widget = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  documentation: 'A widget.',
  spec: WidgetSpec,
  subresources: [
    { name: 'status', verbs: ['get', 'patch', 'update'] },
    { name: 'proxy', verbs: ['get'] },
  ],
})
const Box = defineKind({
  group: '',
  version: 'v1',
  kind: 'Box',
  plural: 'boxes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  verbs: ['get', 'list'],
})
const DeleteOptions = message('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', { dryRun: omitempty(5, list(string)) })
const source: OpenApiSource = { kinds: [Widget, Box], types: [DeleteOptions], version: '1.36' }

type Json = Record<string, never>
const document = openApiV3Document(source, 'apis/apps/v1') as unknown as {
  paths: Record<string, Record<string, Json>>
  components: { schemas: Record<string, { properties: Record<string, Json>; required?: string[] } & Json> }
}
const schemas = document.components.schemas

describe('documents of version 3', () => {
  it('are there for each group version, each group and the fixed paths', () => {
    expect(openApiV3Paths(source)).toEqual([
      '.well-known/openid-configuration',
      'api',
      'api/v1',
      'apis',
      'apis/apps',
      'apis/apps/v1',
      'openid/v1/jwks',
      'version',
    ])
    expect(openApiV3Document(source, 'apis/nope/v1')).toBeUndefined()
    for (const path of openApiV3Paths(source)) expect(openApiV3Document(source, path)).toMatchObject({ openapi: '3.0.0' })
  })

  it('describe types with what patches and apply need', () => {
    expect(schemas['io.k8s.api.apps.v1.WidgetSpec']).toEqual({
      type: 'object',
      required: ['mode'],
      properties: {
        replicas: { type: 'integer', format: 'int32', description: 'How many.' },
        mode: { type: 'string', enum: ['A', 'B'], default: '' },
        parts: {
          type: 'array',
          items: { default: {}, allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.Part' }] },
          'x-kubernetes-list-map-keys': ['name'],
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-patch-merge-key': 'name',
          'x-kubernetes-patch-strategy': 'merge',
        },
        tags: { type: 'array', items: { type: 'string', default: '' }, 'x-kubernetes-list-type': 'atomic' },
        since: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Time' },
        port: {
          allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString' }],
          'x-kubernetes-patch-strategy': 'retainKeys',
        },
      },
    })
    expect(schemas['io.k8s.api.apps.v1.Widget']?.['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', kind: 'Widget', version: 'v1' },
    ])
    expect(schemas['io.k8s.api.apps.v1.WidgetList']?.required).toEqual(['items'])
  })

  it('hold every type that they refer to', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(match => match[1]!)
    expect(references.filter(name => !Object.hasOwn(schemas, name))).toEqual([])
  })

  it('name operations as upstream does', () => {
    const one = document.paths['/apis/apps/v1/namespaces/{namespace}/widgets/{name}']!
    expect(Object.keys(one)).toEqual(['get', 'put', 'delete', 'patch', 'parameters'])
    expect(one['patch']).toMatchObject({
      operationId: 'patchAppsV1NamespacedWidget',
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Widget' },
    })
    expect((one['patch']!['parameters'] as unknown as { name: string }[]).map(({ name }) => name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'force',
    ])
    expect((one['parameters'] as unknown as { name: string }[]).map(({ name }) => name)).toEqual(['namespace', 'name', 'pretty'])
    expect(Object.keys(document.paths['/apis/apps/v1/namespaces/{namespace}/widgets/{name}/proxy/{path}']!)).toContain('options')
    expect(document.paths['/apis/apps/v1/watch/widgets']!['get']!['operationId']).toBe('watchAppsV1WidgetListForAllNamespaces')
    expect([groupName(''), groupName('rbac.authorization.k8s.io'), groupName('flowcontrol.apiserver.k8s.io')]).toEqual([
      'Core',
      'RbacAuthorization',
      'FlowcontrolApiserver',
    ])
  })
})

describe('protobuf of version 3', () => {
  it('holds what the document holds', () => {
    const bytes = encodeOpenApiV3(openApiV3Document(source, 'apis/apps/v1')!)
    const read = readMessage(GnosticV3Document, bytes) as unknown as {
      components: { schemas: { additionalProperties: { name: string; value: { schema: Json } }[] } }
    }
    const part = read.components.schemas.additionalProperties.find(({ name }) => name === 'io.k8s.api.apps.v1.Part')
    expect(part?.value.schema).toEqual({
      description: 'A part.',
      type: 'object',
      required: ['name'],
      properties: {
        additionalProperties: [
          { name: 'name', value: { schema: { type: 'string', default: { string: '' } } } },
          { name: 'size', value: { reference: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' } } },
        ],
      },
    })
    expect(encodeMessage(GnosticV3Document, read)).toEqual(bytes)
  })
})

describe('the document of version 2', () => {
  it('holds all groups', () => {
    const { swagger, paths, definitions } = openApiV2Document(source) as unknown as { swagger: string; paths: Json; definitions: Json }
    expect(swagger).toBe('2.0')
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/v1/boxes', '/apis/apps/', '/apis/apps/v1/widgets', '/version/']))
    expect(paths['/api/v1/boxes']).not.toHaveProperty('delete')
    expect(definitions['io.k8s.api.apps.v1.WidgetSpec']).toMatchObject({ properties: { mode: { type: 'string' } } })
    expect(JSON.stringify(definitions)).not.toContain('#/components/')
  })

  it('comes as protobuf too', () => {
    const bytes = encodeOpenApiV2(openApiV2Document(source))
    const read = readMessage(GnosticDocument, bytes) as unknown as {
      definitions: { additionalProperties: { name: string; value: Json }[] }
    }
    const spec = read.definitions.additionalProperties.find(({ name }) => name === 'io.k8s.api.apps.v1.WidgetSpec')!.value as unknown as {
      required: string[]
      properties: { additionalProperties: { name: string; value: unknown }[] }
    }
    expect(spec.required).toEqual(['mode'])
    expect(spec.properties.additionalProperties.find(({ name }) => name === 'parts')?.value).toEqual({
      type: { value: ['array'] },
      items: { schema: [{ $ref: '#/definitions/io.k8s.api.apps.v1.Part' }] },
      vendorExtension: [
        { name: 'x-kubernetes-list-map-keys', value: { yaml: '- name\n' } },
        { name: 'x-kubernetes-list-type', value: { yaml: 'map\n' } },
        { name: 'x-kubernetes-patch-merge-key', value: { yaml: 'name\n' } },
        { name: 'x-kubernetes-patch-strategy', value: { yaml: 'merge\n' } },
      ],
    })
    expect(encodeMessage(GnosticDocument, read)).toEqual(bytes)
  })
})
