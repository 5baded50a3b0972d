import { describe, expect, it } from 'vitest'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { goDuration } from './go-duration.ts'
import { registryOf, withDefaultTag } from './image-names.ts'
import { credentialsFor } from './registry-credentials.ts'

describe('image names', () => {
  it.each([
    ['web', 'web:latest'],
    ['web:1', 'web:1'],
    ['host:5000/web', 'host:5000/web:latest'],
    ['host:5000/a/web:1', 'host:5000/a/web:1'],
    ['web@sha256:abc', 'web@sha256:abc'],
  ])('%s is %s', (image, expected) => {
    expect(withDefaultTag(image)).toBe(expected)
  })

  it.each(['', 'A/Web:1', 'web with space', '/x'])('%j is none', image => {
    expect(() => withDefaultTag(image)).toThrow("couldn't parse image name")
  })

  it('belong to a registry', () => {
    expect(['web', 'a/web', 'localhost/web', 'h:5000/web', 'r.io/a/web'].map(registryOf)).toEqual([
      'docker.io',
      'docker.io',
      'localhost',
      'h:5000',
      'r.io',
    ])
  })
})

describe('pull secrets', () => {
  const secret = (auths: object): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {},
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  })
  const auth = Buffer.from('bob:se:cret').toString('base64')

  it('are used for their registry, the most precise first', () => {
    const found = credentialsFor('r.io/team/web:1', [
      secret({ 'https://r.io': { username: 'all' }, 'r.io/team': { auth }, 'other.io': { username: 'no' } }),
    ])
    expect(found.map(({ username, password }) => `${username}/${password}`)).toEqual(['bob/se:cret', 'all/'])
  })

  it('fit hosts by pattern, and Docker Hub by its old address', () => {
    expect(credentialsFor('eu.r.io/x', [secret({ '*.r.io': { username: 'u' } })])).toHaveLength(1)
    expect(credentialsFor('r.io/x', [secret({ '*.r.io': { username: 'u' } })])).toHaveLength(0)
    expect(credentialsFor('web', [secret({ 'https://index.docker.io/v1/': { username: 'u' } })])).toHaveLength(1)
  })
})

describe("a duration in Go's words", () => {
  it.each([
    [0, '0s'],
    [15, '15ms'],
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
    [1234, '1.234s'],
    [3_600_000, '1h0m0s'],
  ])('%d ms is %s', (ms, expected) => {
    expect(goDuration(ms)).toBe(expected)
  })
})
