import { describe, expect, it } from 'vitest'
import { decodeProtobuf, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import { metadataSchemas } from './metadata-schemas.ts'
import { protobuf } from './protobuf.ts'

describe('metadata by itself', () => {
  const one = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a', uid: '1', labels: { x: 'y' } } }

  it('is written in protobuf, alone and in lists', () => {
    const alone = openEnvelope(protobuf.other(one)!)
    expect(alone).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' })
    expect(decodeProtobuf(alone, metadataSchemas['PartialObjectMetadata']!)).toMatchObject({ metadata: one.metadata })
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: '5' }, items: [one] }
    const several = openEnvelope(protobuf.other(list)!)
    expect(decodeProtobuf(several, metadataSchemas['PartialObjectMetadataList']!)).toMatchObject({
      metadata: { resourceVersion: '5' },
      items: [{ metadata: one.metadata }],
    })
  })

  it('is what an event of a watch carries', () => {
    expect(protobuf.frame('ADDED', undefined, one).length).toBeGreaterThan(40)
  })
})
