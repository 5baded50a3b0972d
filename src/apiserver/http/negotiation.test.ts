import { describe, expect, it } from 'vitest'
import { negotiate } from './negotiation.ts'

const all = { protobuf: true, transforms: true }

describe('an Accept header', () => {
  it.each([
    [undefined, 'json', ''],
    ['*/*', 'json', ''],
    ['application/yaml', 'yaml', ''],
    ['application/vnd.kubernetes.protobuf,application/json', 'protobuf', ''],
    ['application/yaml;q=0.1,application/json;q=0.9', 'json', ''],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'Table'],
    ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'json', ''],
    ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', ''],
    ['application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'json', 'PartialObjectMetadata'],
  ])('%s gets %s %s', (accept, encoding, as) => {
    expect(negotiate(accept, all)).toMatchObject({ encoding, as })
  })

  it('is refused where nothing fits', () => {
    expect(() => negotiate('application/json;as=Table;v=v1;g=foo', all)).toThrow('only the following media types are accepted')
    expect(() => negotiate('application/vnd.kubernetes.protobuf', { protobuf: false, transforms: true })).toThrow('application/json')
  })
})
