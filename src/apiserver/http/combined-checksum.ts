/**
 * The CRC-32 of bytes that follow one another, from the CRC-32 of each and the length of the second. A checksum is the remainder of a division
 * by a polynomial over GF(2); to be followed by n bytes multiplies it by x to the power of 8n. As zlib's `crc32_combine`.
 */
export function combinedChecksum(first: number, second: number, secondLength: number): number {
  let shift = ONE
  for (let left = secondLength, index = 3; left > 0; left = Math.floor(left / 2), index++) {
    if (left % 2 === 1) shift = product(POWERS[index % POWERS.length]!, shift)
  }
  return (product(shift, first) ^ second) >>> 0
}

/** CRC-32's polynomial and the number one, with the lowest power in the highest bit. */
const POLYNOMIAL = 0xedb88320
const ONE = 0x80000000
/** x to the power of 2 to the power of the index. They repeat from there. */
const POWERS = squares(0x40000000, 32)

function squares(first: number, count: number): readonly number[] {
  const powers = [first]
  while (powers.length < count) powers.push(product(powers.at(-1)!, powers.at(-1)!))
  return powers
}

/** The product of two polynomials, modulo {@link POLYNOMIAL}. */
function product(a: number, b: number): number {
  let sum = 0
  let factor = b
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) sum ^= factor
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1
  }
  return sum >>> 0
}
