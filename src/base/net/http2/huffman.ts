/**
 * How many bits the code of each byte has (RFC 7541, appendix B), a digit of base 36 each; the last is that of the end. The codes themselves
 * follow: shorter ones first, those of one length in the order of their bytes.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6' +
  'f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu'

const END = 256
const NOTHING = -1

/** A machine that takes four bits a step: where it goes from a state, and which byte is complete by that. No code has less than five bits. */
interface Machine {
  /** By `state * 16 + bits`; below 0 where no code leads. */
  readonly next: Int16Array
  readonly symbol: Int16Array
  /** Whether a text may end in the state: fewer than eight bits, all ones, of a code that was begun. */
  readonly mayEnd: Uint8Array
}

const machine = built()

/**
 * The text behind the Huffman code in `block` from `from` to `end`, a character per byte; undefined where it is none. Hot: bench/apiserver.
 */
export function huffmanText(block: Uint8Array, from: number, end: number): string | undefined {
  const { next, symbol, mayEnd } = machine
  const size = Math.ceil(((end - from) * 8) / 5)
  if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(size)
  let state = 0
  let length = 0
  for (let index = from; index < end; index++) {
    const byte = block[index]!
    for (let bits = byte >> 4, half = 0; half < 2; bits = byte & 15, half++) {
      const at = state * 16 + bits
      const complete = symbol[at]!
      if (complete !== NOTHING) scratch[length++] = complete
      state = next[at]!
      if (state < 0) return undefined
    }
  }
  return mayEnd[state] ? scratch.toString('latin1', 0, length) : undefined
}

let scratch = Buffer.allocUnsafeSlow(4096)

function built(): Machine {
  // The tree of all codes: an inner node is a pair, a leaf a byte.
  const children: [number, number][] = [[NOTHING, NOTHING]]
  const leaf = (byte: number) => -2 - byte
  let code = 0
  for (let length = 1; length <= 30; length++) {
    for (let byte = 0; byte <= END; byte++) {
      if (Number.parseInt(LENGTHS[byte]!, 36) !== length) continue
      let node = 0
      for (let bit = length - 1; bit > 0; bit--) {
        const side = ((code >> bit) & 1) as 0 | 1
        if (children[node]![side] === NOTHING) children[node]![side] = children.push([NOTHING, NOTHING]) - 1
        node = children[node]![side]
      }
      children[node]![(code & 1) as 0 | 1] = leaf(byte)
      code++
    }
    code *= 2
  }
  const next = new Int16Array(children.length * 16)
  const symbol = new Int16Array(children.length * 16).fill(NOTHING)
  for (let state = 0; state < children.length; state++) {
    for (let bits = 0; bits < 16; bits++) {
      let node = state
      for (let bit = 3; bit >= 0 && node >= 0; bit--) {
        node = children[node]![((bits >> bit) & 1) as 0 | 1]
        if (node >= NOTHING || node === leaf(END)) continue
        symbol[state * 16 + bits] = -2 - node
        node = 0
      }
      next[state * 16 + bits] = node
    }
  }
  const mayEnd = new Uint8Array(children.length)
  for (let node = 0, bits = 0; bits < 8 && node >= 0; bits++) {
    mayEnd[node] = 1
    node = children[node]![1]
  }
  return { next, symbol, mayEnd }
}
