import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import {
  appendBytes,
  type Operation,
  operationsIn,
  readAppend,
  SECTOR_BYTES,
  stamp,
  stampedBy,
  unstamp,
  valueAt,
  writeAppend,
} from './log-append.ts'

const identity = Buffer.alloc(16, 7)
const random = seededRandom(1)

function operationsOf(...lengths: (number | undefined)[]): Operation[] {
  return lengths.map((length, index) => ({
    key: Buffer.from(`key-${index}`),
    ...(length !== undefined && { value: Buffer.from(Array.from({ length }, () => random.below(256))) }),
  }))
}

/** An append over one that was there before. */
function written(operations: readonly Operation[], sequence = 9): { before: Buffer; bytes: Buffer } {
  const bytes = Buffer.alloc(appendBytes(operations) + 8192)
  writeAppend(bytes, 0, identity, sequence - 1, operationsOf(appendBytes(operations) - 200))
  stamp(bytes, 0)
  const before = Buffer.from(bytes)
  writeAppend(bytes, 0, identity, sequence, operations)
  stamp(bytes, 0)
  return { before, bytes }
}

describe('an append to the log', () => {
  const SIZES = [[], [0], [100], [400, 10], [undefined, 507, 508, 509], [5_000, undefined], [60_000, 60_000], [900_000]]

  it.each(SIZES)('is read as it was written, from the disk and from memory: values of %j and %j bytes', (...sizes) => {
    const operations = operationsOf(...sizes)
    const { bytes } = written(operations)
    expect(readAppend(bytes, 0, identity)).toEqual({ sequence: 9, end: appendBytes(operations), state: 'whole', operations })
    unstamp(bytes, 0)
    expect(operationsIn(bytes, 0)).toEqual({ operations, end: appendBytes(operations) })
    const place = writeAppend(bytes, 0, identity, 9, operations)
    if (operations[0]?.value) expect(valueAt(bytes, place)).toEqual(operations[0].value)
  })

  it('is none of another log', () => {
    expect(readAppend(written(operationsOf(100)).bytes, 0, Buffer.alloc(16, 8))).toBeUndefined()
  })

  it('[S19] is torn, whichever of its sectors are missing', () => {
    const operations = operationsOf(3_000, 300)
    const sectors = appendBytes(operations) / SECTOR_BYTES
    for (let missing = 1; missing < 2 ** sectors; missing++) {
      const { before, bytes } = written(operations)
      for (let sector = 0; sector < sectors; sector++)
        if (missing & (2 ** sector)) before.copy(bytes, sector * SECTOR_BYTES, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)
      const found = readAppend(bytes, 0, identity)
      if (missing & 1)
        expect([found?.sequence, stampedBy(bytes, 0, 9)]).toEqual([missing === 2 ** sectors - 1 ? 8 : expect.any(Number), undefined])
      else expect(found).toMatchObject({ sequence: 9, state: 'torn', operations: [] })
      for (let sector = 1; sector < sectors; sector++)
        expect(stampedBy(bytes, sector * SECTOR_BYTES, 9)).toBe(missing & (2 ** sector) ? undefined : 'other')
    }
  })

  it('[S19] is damaged, or whole nevertheless, and never torn, whichever of its bits is wrong', () => {
    const operations = operationsOf(1_200)
    const { bytes } = written(operations)
    const verdicts = { damaged: 0, headless: 0, whole: 0 }
    for (let bit = 0; bit < 8 * appendBytes(operations); bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const found = readAppend(bytes, 0, identity)
      if (found?.state === 'damaged') verdicts.damaged++
      else if (found?.state === 'whole') {
        expect(found.operations).toEqual(operations)
        verdicts.whole++
      } else if (found === undefined && stampedBy(bytes, 0, 9) === 'first') verdicts.headless++
      else expect.unreachable(`bit ${bit} makes it ${found?.state}`)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
    expect(verdicts.damaged).toBeGreaterThan(8 * 1_200 - 3 * 32)
    expect(verdicts.headless).toBe(8 * 40)
  })
})
