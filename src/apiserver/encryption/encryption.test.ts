import { createDecipheriv } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfiguredEncryption } from './encryption.ts'

const KEY = '/registry/secrets/default/a'
const secretOf = (letter: string, bytes = 32) => Buffer.alloc(bytes, letter).toString('base64')
const configuration = (entries: readonly [resources: string, providers: readonly object[]][]) =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: entries.map(([resources, providers]) => ({ resources: resources.split(' '), providers })),
  })
const keys = (type: string, ...named: [name: string, secret: string][]) => ({
  [type]: { keys: named.map(([name, secret]) => ({ name, secret })) },
})
const encryption = (text: string) =>
  new ConfiguredEncryption({
    configuration: text,
    reloads: false,
    kms: () => {
      throw new Error('no service here')
    },
  })
const transformer = (...providers: object[]) => encryption(configuration([['secrets', providers]])).transformerOf('', 'secrets')!
const bytes = (text: string) => Buffer.from(text)
const text = (value: Uint8Array) => Buffer.from(value).toString()
const roundTrip = (...providers: object[]) => {
  const one = transformer(...providers)
  return text(one.fromStorage(KEY, one.toStorage(KEY, bytes('value'))).value)
}

describe('a provider', () => {
  it.each(['aescbc', 'aesgcm', 'secretbox'])('%s reads what it has written, under upstream’s prefix', type => {
    const one = transformer(keys(type, ['key1', secretOf('a')]))
    const stored = one.toStorage(KEY, bytes('value'))
    expect(text(stored).startsWith(`k8s:enc:${type}:v1:key1:`)).toBe(true)
    expect(text(stored)).not.toContain('value')
    expect(one.toStorage(KEY, bytes('value'))).not.toEqual(stored)
    expect(text(one.fromStorage(KEY, stored).value)).toBe('value')
    for (const length of [0, 1, 15, 16, 17, 4096]) {
      const value = Buffer.alloc(length, 'x')
      expect(Buffer.from(one.fromStorage(KEY, one.toStorage(KEY, value)).value)).toEqual(value)
    }
  })

  it.each([16, 24])('takes AES keys of %i bytes', length => {
    expect(roundTrip(keys('aescbc', ['key1', secretOf('a', length)]))).toBe('value')
    expect(roundTrip(keys('aesgcm', ['key1', secretOf('a', length)]))).toBe('value')
  })

  it('aesgcm writes nonce, ciphertext and tag, bound to the key of the store', () => {
    const one = transformer(keys('aesgcm', ['key1', secretOf('a')]))
    const stored = Buffer.from(one.toStorage(KEY, bytes('value'))).subarray('k8s:enc:aesgcm:v1:key1:'.length)
    const decipher = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 'a'), stored.subarray(0, 12))
    decipher.setAAD(bytes(KEY)).setAuthTag(stored.subarray(-16))
    expect(decipher.update(stored.subarray(12, -16)).toString() + decipher.final().toString()).toBe('value')
    expect(() => one.fromStorage('/registry/secrets/default/b', one.toStorage(KEY, bytes('value')))).toThrow(
      'message authentication failed',
    )
  })

  it('reads what upstream’s libraries write', () => {
    // NaCl's own test vector, secretbox.go: nonce, then tag and ciphertext.
    const secret = Buffer.from('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389', 'hex')
    const nonce = Buffer.from('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37', 'hex')
    const sealed = Buffer.from(
      'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
      'hex',
    )
    const one = transformer(keys('secretbox', ['key1', secret.toString('base64')]))
    const { value } = one.fromStorage(KEY, Buffer.concat([bytes('k8s:enc:secretbox:v1:key1:'), nonce, sealed]))
    expect(Buffer.from(value).toString('hex')).toMatch(/^be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc/)
  })

  it.each(['aesgcm', 'secretbox'])('%s does not read what a bit is wrong of', type => {
    const one = transformer(keys(type, ['key1', secretOf('a')]))
    const stored = Buffer.from(one.toStorage(KEY, bytes('value')))
    for (let at = `k8s:enc:${type}:v1:key1:`.length; at < stored.length; at++) {
      const damaged = Buffer.from(stored)
      damaged[at]! ^= 1
      expect(() => one.fromStorage(KEY, damaged)).toThrow()
    }
    expect(() => one.fromStorage(KEY, stored.subarray(0, -1))).toThrow()
    expect(() => one.fromStorage(KEY, stored.subarray(0, 30))).toThrow('shorter than the required size')
  })

  it('identity writes values as they are, and does not take encrypted ones for such', () => {
    const one = transformer({ identity: {} })
    expect(text(one.toStorage(KEY, bytes('value')))).toBe('value')
    expect(() => one.fromStorage(KEY, bytes('k8s:enc:aescbc:v1:key1:xyz'))).toThrow('no matching prefix found')
  })
})

describe('several keys and providers', () => {
  const old = keys('aescbc', ['key1', secretOf('a')])

  it('write with the first and read with any, and tell what is stale', () => {
    const before = transformer(old)
    const stored = before.toStorage(KEY, bytes('value'))
    const rotated = transformer(keys('aescbc', ['key2', secretOf('b')], ['key1', secretOf('a')]), { identity: {} })
    expect(text(rotated.toStorage(KEY, bytes('x')))).toMatch(/^k8s:enc:aescbc:v1:key2:/)
    const read = rotated.fromStorage(KEY, stored)
    expect(text(read.value)).toBe('value')
    expect(read.writer).not.toBe(rotated.writer)
    expect(read.writer).toBe(before.writer)
    const plain = rotated.fromStorage(KEY, bytes('{}'))
    expect([text(plain.value), plain.writer]).toEqual(['{}', ''])
  })

  it('tell apart two keys of one name', () => {
    const exchanged = transformer(keys('secretbox', ['key1', secretOf('b')]), keys('secretbox', ['key1', secretOf('a')]))
    const stored = transformer(keys('secretbox', ['key1', secretOf('a')])).toStorage(KEY, bytes('value'))
    const { value, writer } = exchanged.fromStorage(KEY, stored)
    expect(text(value)).toBe('value')
    expect(writer).not.toBe(exchanged.writer)
  })

  it('lead away from encryption when identity is first', () => {
    const away = transformer({ identity: {} }, old)
    expect(text(away.toStorage(KEY, bytes('value')))).toBe('value')
    const { value, writer } = away.fromStorage(KEY, transformer(old).toStorage(KEY, bytes('value')))
    expect([text(value), writer === away.writer]).toEqual(['value', false])
  })

  it('say why none of them reads a value', () => {
    const stored = transformer(keys('aesgcm', ['key9', secretOf('a')])).toStorage(KEY, bytes('value'))
    expect(() => transformer(old).fromStorage(KEY, stored)).toThrow('no matching prefix found')
    expect(() => transformer(keys('aesgcm', ['key1', secretOf('a')])).fromStorage(KEY, stored)).toThrow(
      'no matching key was found for the provided AES transformer',
    )
    expect(() => transformer(keys('aesgcm', ['key9', secretOf('b')])).fromStorage(KEY, stored)).toThrow('message authentication failed')
  })
})

describe('a configuration', () => {
  const aes = [keys('aescbc', ['key1', secretOf('a')])]
  const box = [keys('secretbox', ['key1', secretOf('a')])]
  const writerOf = (one: ConfiguredEncryption, group: string, resource: string) =>
    one.transformerOf(group, resource)?.writer.replace(/:key1:.*/, '') ?? 'none'

  it('finds the resource itself, then its group, then everything', () => {
    const one = encryption(
      configuration([
        ['secrets', aes],
        ['deployments.apps', aes],
        ['*.apps', box],
        ['*.*', [{ identity: {} }]],
      ]),
    )
    expect(writerOf(one, '', 'secrets')).toBe('k8s:enc:aescbc:v1')
    expect(writerOf(one, 'apps', 'deployments')).toBe('k8s:enc:aescbc:v1')
    expect(writerOf(one, 'apps', 'daemonsets')).toBe('k8s:enc:secretbox:v1')
    expect(writerOf(one, '', 'pods')).toBe('')
    const core = encryption(configuration([['*.', aes]]))
    expect([writerOf(core, '', 'pods'), writerOf(core, 'apps', 'deployments')]).toEqual(['k8s:enc:aescbc:v1', 'none'])
  })

  it.each([
    ['apiVersion: v1\nkind: Pod\n', 'got unexpected config type: v1, Kind=Pod'],
    ['', 'the file is empty'],
    [configuration([]), 'resources: Required value: at least one resources is required'],
    [configuration([['secrets', []]]), 'resources[0].providers: Required value'],
    [configuration([['secrets', [{}]]]), 'provider does not contain any of the expected providers'],
    [configuration([['secrets', [{ ...aes[0], identity: {} }]]]), 'more than one provider specified in a single element'],
    [
      configuration([['secrets', [keys('aescbc', ['key1', 'c2hvcnQ='])]]]),
      'resources[0].providers[0].aescbc.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 5, expected one of [16 24 32]',
    ],
    [configuration([['secrets', [keys('secretbox', ['key1', secretOf('a', 16)])]]]), 'got 16, expected one of [32]'],
    [configuration([['secrets', [keys('aescbc', ['key1', 'not base64!'])]]]), 'secrets must be base64 encoded'],
    [configuration([['secrets', [keys('aescbc', ['', secretOf('a')])]]]), 'name is a mandatory field for a key'],
    [configuration([['secrets', [keys('aescbc')]]]), 'at least one keys is required'],
    [configuration([['secrets *.', aes]]), 'using overlapping resources'],
    [configuration([['secrets secrets', aes]]), 'the same resource cannot be specified multiple times'],
    [configuration([['Secrets', aes]]), 'should not contain capital letters'],
    [configuration([['*', aes]]), "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"],
    [configuration([['deployments.*', aes]]), 'encrypting the same resource across groups is not supported'],
    [configuration([['events.events.k8s.io', aes]]), "Use 'events' instead"],
    [
      configuration([
        ['*.*', aes],
        ['secrets', aes],
      ]),
      'resource "secrets" is masked by earlier rule "*.*"',
    ],
    [configuration([['secrets', [{ kms: { apiVersion: 'v1', name: 'x', endpoint: 'unix:///x' } }]]]), 'use v2'],
    [
      configuration([['secrets', [{ kms: { apiVersion: 'v2', name: 'a:b', endpoint: 'tcp://x' } }]]]),
      'unsupported scheme "tcp" for KMS provider',
    ],
  ])('that is wrong is refused: %#', (wrong, why) => {
    expect(() => encryption(wrong)).toThrow(why)
  })

  it('never tells a secret', () => {
    const wrong = configuration([['secrets', [keys('aescbc', ['key1', `${secretOf('s', 31)}`])]]])
    expect(() => encryption(wrong)).toThrow(expect.not.stringContaining('c3Nzc3Nz'))
  })
})
