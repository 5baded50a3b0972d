import { describe, expect, it } from 'vitest'
import { decode } from '#machinery/schema/decode.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { contextAt, errorsOf, stored } from '../../stored.fixture.ts'
import { rememberStorageVersion } from './custom-resource-definition.rules.ts'
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
  it('says which versions have been stored, and leaves the status that it takes over as it is', () => {
    const versions = [
      { name: 'v1', served: true, storage: false },
      { name: 'v2', served: true, storage: true },
    ]
    const definition = { ...definitionOf({ type: 'string' }, { versions }) }
    const before = definition.status
    rememberStorageVersion(definition as never)
    expect(definition.status.storedVersions).toEqual(['v1', 'v2'])
    expect(before.storedVersions).toEqual(['v1'])
  })

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

describe('the schema of a definition', () => {
  it.each<[string, object, string[]]>([
    [
      'compiles its rules',
      { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.foo' }] },
      [`${P}.x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:5: type 'string' does not support field selection`],
    ],
    [
      'wants rules to be true or false',
      { type: 'string', 'x-kubernetes-validations': [{ rule: '1' }] },
      [`${P}.x-kubernetes-validations[0].rule: cel expression must evaluate to a bool`],
    ],
    [
      'wants rules that can be paid for',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x == y))' }] },
      [
        `${P}.x-kubernetes-validations[0].rule: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`,
        `${P}.x-kubernetes-validations[0].rule: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
        'spec.validation.openAPIV3Schema: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)',
      ],
    ],
    [
      'compares only what can be told to be the same',
      { type: 'array', maxItems: 2, items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } },
      [`${P}.items.x-kubernetes-validations[0].rule: oldSelf cannot be used on the uncorrelatable portion of the schema within ${P}`],
    ],
    ['lets in defaults that it would let in', { type: 'string', default: 'x', enum: ['x'] }, []],
    ['refuses other defaults', { type: 'string', default: 1 }, [`${P}.default:  in body must be of type string: "integer"`]],
    [
      'refuses defaults of which it would drop a part',
      { type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } },
      [`${P}.default: must not have unknown fields`],
    ],
    ['has all that its alternatives speak of', { type: 'object', anyOf: [{ required: ['a'], properties: { a: { minLength: 1 } } }] }, []],
    [
      'knows which keys a list has',
      { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } },
      [`${P}.x-kubernetes-list-map-keys: must not be empty if x-kubernetes-list-type is map`],
    ],
    [
      'has patterns that can be read',
      { type: 'string', pattern: '[' },
      [`${P}.pattern: must be a valid regular expression, but isn't: error parsing regexp: missing closing ]: \`[\``],
    ],
    [
      'survives names that mean something to JavaScript',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}') as object,
      [],
    ],
  ])('%s', (_, property, details) => {
    const errors = new FieldErrors()
    CustomResourceDefinition.hooks.validate!(definitionOf(property), errors, contextAt(0))
    expect(errors.all.map(({ field, detail }) => `${field}: ${detail.split('\n', 1)[0]}`)).toEqual(details)
  })
})

describe('what a definition says', () => {
  it('is known in all its depth', () => {
    const unknown: string[] = []
    const items = { type: 'object', bogus: 1, nullable: false, properties: { a: { type: 'string', worse: 2 } } }
    const openAPIV3Schema = { type: 'object', properties: { l: { type: 'array', items } } }
    const spec = {
      ...definitionOf({ type: 'string' }).spec,
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    }
    const decoded = decode<unknown>(CustomResourceDefinition.schema, { spec }, { defaults: true, unknown }) as CustomResourceDefinition
    const at = 'spec.versions[0].schema.openAPIV3Schema.properties.l.items'
    expect(unknown.sort()).toEqual([`${at}.bogus`, `${at}.properties.a.worse`])
    expect(decoded.spec.versions[0]!.schema!.openAPIV3Schema!.properties!['l']!.items).toEqual({
      type: 'object',
      properties: { a: { type: 'string' } },
    })
  })
})
