import { describe, expect, it } from 'vitest'
import {
  conflict,
  forbidden,
  genericFailure,
  internalError,
  invalid,
  methodNotSupported,
  notFound,
  OBJECT_MODIFIED,
  timeout,
} from './failures.ts'
import { textOf, textOfAll } from './field-error.ts'
import { FieldErrors } from './field-errors.ts'
import { goJson, quote } from './go-text.ts'
import { hasCause, isConflict, isNotFound, StatusError } from './status-error.ts'

const deployments = { group: 'apps', resource: 'deployments' }
const pods = { group: '', resource: 'pods' }

describe('FieldErrors', () => {
  it('names the path of each error as Kubernetes does', () => {
    const errors = new FieldErrors()
    errors.at('spec').at('containers').index(0).at('name').required()
    errors.at('metadata').at('labels').key('a b').invalid('x', 'bad')
    errors.invalid(null, 'root')
    expect(errors.all.map(error => error.field)).toEqual(['spec.containers[0].name', 'metadata.labels[a b]', '<nil>'])
  })

  it('writes values as Go does: numbers bare, strings quoted, objects as JSON', () => {
    const errors = new FieldErrors()
    const spec = errors.at('spec')
    spec.invalid(-1, 'must be greater than or equal to 0')
    spec.invalid({ app: '<a>' }, 'no')
    spec.invalid(undefined, 'no')
    spec.invalid(9007199254740993n, 'no')
    spec.notSupported('x', ['a', 'b'])
    spec.notSupported(['all'], ['All'])
    spec.duplicate('a')
    spec.tooLong(128)
    spec.tooMany(3, 2)
    spec.tooMany(-1, 1)
    spec.forbidden('may not be used')
    expect(errors.all.map(textOf)).toEqual([
      'spec: Invalid value: -1: must be greater than or equal to 0',
      'spec: Invalid value: {"app":"\\u003ca\\u003e"}: no',
      'spec: Invalid value: null: no',
      'spec: Invalid value: 9007199254740993: no',
      'spec: Unsupported value: "x": supported values: "a", "b"',
      'spec: Unsupported value: ["all"]: supported values: "All"',
      'spec: Duplicate value: "a"',
      'spec: Too long: may not be more than 128 bytes',
      'spec: Too many: 3: must have at most 2 items',
      'spec: Too many: must have at most 1 item',
      'spec: Forbidden: may not be used',
    ])
  })

  it('says each sentence once and puts several in brackets', () => {
    const errors = new FieldErrors()
    errors.at('a').required()
    errors.at('a').required()
    expect(textOfAll(errors.all)).toBe('a: Required value')
    errors.at('b').required('why')
    expect(textOfAll(errors.all)).toBe('[a: Required value, b: Required value: why]')
  })
})

describe('quote', () => {
  it.each([
    ['plain', '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\n\t\x01\x7f', '"\\n\\t\\x01\\x7f"'],
    ['äß漢😀', '"äß漢😀"'],
    ['\u00a0\u200b', '"\\u00a0\\u200b"'],
    ['\ufeff', '"\\ufeff"'],
  ])('quotes %j as Go does', (text, quoted) => expect(quote(text)).toBe(quoted))

  it('keeps big integers exact in JSON', () => expect(goJson({ a: [2n ** 60n] })).toBe('{"a":[1152921504606846976]}'))
})

describe('failures', () => {
  it('names resources with their group', () => {
    expect(notFound(deployments, 'x').message).toBe('deployments.apps "x" not found')
    expect(notFound(pods, 'x').toStatus()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "x" not found',
      reason: 'NotFound',
      details: { name: 'x', kind: 'pods' },
      code: 404,
    })
  })

  it('turns field errors into causes', () => {
    const errors = new FieldErrors()
    errors.at('spec').at('replicas').invalid(-1, 'must be greater than or equal to 0')
    const failure = invalid({ group: 'apps', kind: 'Deployment' }, 'd', errors.all)
    expect(failure.message).toBe('Deployment.apps "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0')
    expect(failure.toStatus().details).toEqual({
      name: 'd',
      group: 'apps',
      kind: 'Deployment',
      causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: -1: must be greater than or equal to 0', field: 'spec.replicas' }],
    })
  })

  it.each([
    [forbidden(pods, '', 'no'), 'pods is forbidden: no'],
    [forbidden(pods, 'p', 'no'), 'pods "p" is forbidden: no'],
    [forbidden({ group: '', resource: '' }, '', 'no'), 'forbidden: no'],
    [methodNotSupported(deployments, 'create'), 'create is not supported on resources of kind "deployments.apps"'],
    [timeout('slow'), 'Timeout: slow'],
    [genericFailure({ code: 404 }), 'the server could not find the requested resource'],
    [genericFailure({ code: 404, verb: 'GET', of: pods, name: 'x' }), 'the server could not find the requested resource (get pods x)'],
    [genericFailure({ code: 502, serverMessage: 'x' }), 'an error on the server ("x") has prevented the request from succeeding'],
  ])('words it as upstream (%#)', (failure, message) => expect(failure.message).toBe(message))

  it('keeps empty details where upstream does', () => {
    expect(genericFailure({ code: 422 }).toStatus().details).toEqual({})
  })

  it('is recognised behind causes and after a round trip', () => {
    const failure = conflict(pods, 'p', OBJECT_MODIFIED)
    expect(isConflict(new Error('sync', { cause: failure }))).toBe(true)
    expect(isNotFound(failure)).toBe(false)
    expect(StatusError.from(failure.toStatus()).toStatus()).toEqual(failure.toStatus())
    expect(isNotFound(StatusError.from({ code: 404 }))).toBe(true)
    expect(hasCause(internalError(new Error('x')), 'Nope')).toBe(false)
  })
})

describe('the path of a field error', () => {
  it('shows a field without a name as Kubernetes does', () => {
    expect(new FieldErrors().at('').path).toBe('[]')
    expect(new FieldErrors().path).toBe('<nil>')
  })
})
