import { describe, expect, it } from 'vitest'
import { errorsOf, stored } from '../../stored.fixture.ts'
import { CustomResourceDefinition } from './custom-resource-definition.ts'

const definitionOf = (property: object, spec: object = {}, group = 'shop.test') =>
  stored(CustomResourceDefinition, {
    metadata: { name: `apples.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'apples', kind: 'Apple' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { p: property } } } }],
      ...spec,
    },
    status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: ['v1'] },
  })

const P = 'spec.validation.openAPIV3Schema.properties[p]'

describe('a definition of a resource', () => {
  it('fills in names', () => {
    expect(definitionOf({ type: 'string' }).spec).toMatchObject({
      names: { singular: 'apple', listKind: 'AppleList' },
      conversion: { strategy: 'None' },
    })
  })

  it.each<[string, object, string[]]>([
    ['may have typed fields', { type: 'string' }, []],
    [
      'may have fields that are a number or a text',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      [],
    ],
    ['may leave fields open', { 'x-kubernetes-preserve-unknown-fields': true }, []],
    ['says the type of every field', {}, [`${P}.type: Required value: must not be empty for specified object fields`]],
    ['does not refer to other schemas', { $ref: '#/x' }, [`${P}.$ref: Forbidden: $ref is not supported`]],
    ['says what is in a list', { type: 'array' }, [`${P}.items: Required value: must be specified`]],
    [
      'has no structure in junctors',
      { type: 'string', anyOf: [{ type: 'string' }] },
      [`${P}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
  ])('%s', (_, property, errors) => {
    expect(errorsOf(CustomResourceDefinition, definitionOf(property))).toEqual(errors)
  })

  it('needs an approval in groups of the project', () => {
    expect(errorsOf(CustomResourceDefinition, definitionOf({ type: 'string' }, {}, 'x.k8s.io'))).toEqual([
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ])
  })

  it('has one version in which objects are stored', () => {
    const versions = definitionOf({ type: 'string' }).spec.versions.map(version => ({ ...version, storage: false }))
    expect(errorsOf(CustomResourceDefinition, definitionOf({ type: 'string' }, { versions }))[0]).toMatch(
      /^spec.versions: Invalid value: .*: must have exactly one version marked as storage version$/,
    )
  })
})
