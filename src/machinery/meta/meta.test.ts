import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import { textOf } from '../status/field-error.ts'
import { FieldErrors } from '../status/field-errors.ts'
import { isConfigMapKey, isEnvVarName, isPortName } from './formats.ts'
import { generateName } from './generate-name.ts'
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isLabelValue,
  isQualifiedName,
  nameIsDNSSubdomain,
  nameIsPathSegment,
} from './names.ts'
import { controllerOf, controllerReference, type ObjectMeta } from './object-meta.ts'
import { utf8Length } from './utf8.ts'
import { validateFieldManager, validateObjectMeta, validateObjectMetaUpdate } from './validate-object-meta.ts'

const rules = { isNamespaced: true, checkName: nameIsDNSSubdomain, standardFinalizersOnly: true }
const fine: ObjectMeta = { name: 'a', namespace: 'default', resourceVersion: '1' }

describe('names', () => {
  it.each([
    ['a', true],
    ['a-b.c-9', true],
    ['9', true],
    ['', false],
    ['-a', false],
    ['a-', false],
    ['a..b', false],
    ['A', false],
    ['a'.repeat(253), true],
    ['a'.repeat(254), false],
    ['a\n', false],
  ])('says whether %j is a DNS name', (name, isFine) => expect(isDNS1123Subdomain(name).length === 0).toBe(isFine))

  it('explains with the regular expression', () => {
    expect(isDNS1123Subdomain('Bad_Name!')).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ])
    expect(isDNS1035Label('V_1')[0]).toContain("(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
    expect(isDNS1123Label('a.b')).toEqual(['must not contain dots'])
    expect(isLabelValue('x'.repeat(64))).toEqual(['must be no more than 63 bytes'])
  })

  it('takes label keys apart at the slash', () => {
    expect(isQualifiedName('example.com/MyName')).toEqual([])
    expect(isQualifiedName('/x')).toEqual(['prefix part must be non-empty'])
    expect(isQualifiedName('x/')).toHaveLength(2)
    expect(isQualifiedName('Ex/x')[0]).toMatch(/^prefix part a lowercase RFC 1123 subdomain/)
    expect(isQualifiedName('a/b/c')[0]).toMatch(
      /^a valid label key must consist .* with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
    )
  })

  it('lets a generateName end in a dash', () => {
    expect(nameIsDNSSubdomain('web-', true)).toEqual([])
    expect(nameIsDNSSubdomain('web-', false)).toHaveLength(1)
    expect(nameIsPathSegment('..', false)).toEqual(["may not be '..'"])
    expect(nameIsPathSegment('a/%', false)).toEqual(["may not contain '/'", "may not contain '%'"])
  })

  it('is done in linear time with absurd names', () => {
    const started = performance.now()
    isDNS1123Subdomain(`${'a.'.repeat(200_000)}!`)
    isQualifiedName('/'.repeat(400_000))
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('formats', () => {
  it('knows port names, variables and config keys', () => {
    expect(isPortName('http')).toEqual([])
    expect(isPortName('1--')).toHaveLength(3)
    expect(isEnvVarName('a=b')).toHaveLength(1)
    expect(isEnvVarName('a b')).toEqual([])
    expect(isConfigMapKey('..')).toEqual(["must not be '..'"])
    expect(isConfigMapKey('a.b')).toEqual([])
  })

  it('counts bytes as UTF-8 does', () => {
    for (const text of ['abc', 'äö', '漢字', '😀x', '\ud800']) expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
  })
})

describe('validateObjectMeta', () => {
  const check = (meta: ObjectMeta) => {
    const errors = new FieldErrors()
    validateObjectMeta(meta, rules, errors.at('metadata'))
    return errors.all.map(textOf)
  }

  it('accepts good metadata', () =>
    expect(check({ ...fine, labels: { 'a/b': '' }, annotations: { 'A/b': '!' }, finalizers: ['a/b'] })).toEqual([]))

  it('wants a name', () =>
    expect(check({ namespace: 'default' })).toEqual(['metadata.name: Required value: name or generateName is required']))

  it('finds what is wrong', () => {
    const owner = { apiVersion: 'v1', kind: 'Event', name: '', uid: 'u', controller: true }
    const wrong = check({ ...fine, generation: -1, finalizers: ['x', 'orphan', 'foregroundDeletion'], ownerReferences: [owner, owner] })
    expect(wrong).toContain('metadata.generation: Invalid value: -1: must be greater than or equal to 0')
    expect(wrong).toContain(
      'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    )
    expect(wrong).toContain(
      'metadata.finalizers: Invalid value: ["x","orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    )
    expect(wrong.filter(text => text.startsWith('metadata.ownerReferences.name'))).toHaveLength(2)
    expect(wrong.join()).toContain('Only one reference can have Controller set to true. Found "true" in references for Event/ and Event/')
  })

  it('wants a version in the apiVersion of an owner', () => {
    const owner = { apiVersion: 'a/b/c', kind: 'X', name: 'o', uid: 'u' }
    expect(check({ ...fine, ownerReferences: [owner] })).toEqual([
      'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
    ])
  })

  it('limits annotations to 256 KiB', () => {
    expect(check({ ...fine, annotations: { a: 'x'.repeat(256 * 1024) } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ])
  })

  it('checks the name of a field manager', () => {
    const errors = new FieldErrors()
    validateFieldManager('a\u0007', errors.at('fieldManager'))
    expect(errors.all.map(textOf)).toEqual(['fieldManager: Invalid value: "a\\a": invalid character U+0007 (at position 1)'])
  })
})

describe('validateObjectMetaUpdate', () => {
  const check = (meta: ObjectMeta, old: ObjectMeta) => {
    const errors = new FieldErrors()
    validateObjectMetaUpdate(meta, old, rules, errors.at('metadata'))
    return errors.all.map(textOf)
  }

  it('holds what may not change', () => {
    expect(check(fine, fine)).toEqual([])
    expect(check({ ...fine, uid: 'b' }, { ...fine, uid: 'a' })).toEqual(['metadata.uid: Invalid value: "b": field is immutable'])
    expect(check(fine, { ...fine, creationTimestamp: '2030-01-01T00:00:00Z' })).toEqual([
      'metadata.creationTimestamp: Invalid value: null: field is immutable',
    ])
  })

  it('lets no finalizer come to an object that is going', () => {
    expect(check({ ...fine, deletionTimestamp: 't', finalizers: ['new.one/z'] }, { ...fine, deletionTimestamp: 't' })).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"new.one/z"}',
    ])
  })
})

describe('owners and generated names', () => {
  it('finds the controller', () => {
    const reference = controllerReference({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r', uid: 'u' } })
    expect(controllerOf({ metadata: { ownerReferences: [{ ...reference, controller: false }, reference] } })).toBe(reference)
  })

  it('cuts the prefix so that the name has at most 63 bytes', () => {
    expect(generateName('web-', seededRandom(1))).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    expect(generateName('x'.repeat(100), seededRandom(1))).toHaveLength(63)
  })
})
