/**
 * An ordered map from strings that never changes: `set` and `delete` answer a new one and share everything they did not touch, so that
 * keeping an old version costs what changed since. Keys are in the order of their UTF-16 code units, as `<` sees them.
 *
 * A B+ tree whose nodes know how many entries they hold: lookups, changes and counting a range take logarithmic time.
 */
export class PersistentMap<V> {
  readonly #root: Node<V>

  private constructor(root: Node<V>) {
    this.#root = root
  }

  /** A map without entries. */
  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>({ keys: [], values: [], children: undefined, size: 0 })
  }

  get size(): number {
    return this.#root.size
  }

  get(key: string): V | undefined {
    let node = this.#root
    while (node.children) node = node.children[childFor(node.keys, key)]!
    const index = lowerBound(node.keys, key)
    return node.keys[index] === key ? node.values[index] : undefined
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** The map with `key` at `value`. */
  set(key: string, value: V): PersistentMap<V> {
    const [left, right] = insert(this.#root, key, value)
    return new PersistentMap(right ? branch([left, right]) : left)
  }

  /** The map without `key`; itself if it has none. */
  delete(key: string): PersistentMap<V> {
    let root = remove(this.#root, key)
    if (root === this.#root) return this
    while (root.children?.length === 1) root = root.children[0]!
    return new PersistentMap(root)
  }

  /** Calls `see` for the entries from `from` (inclusive) to `end` (exclusive; none: to the last) in order, until it answers false. */
  visit(see: (value: V, key: string) => unknown, from = '', end?: string): void {
    walk(this.#root, see, from, end)
  }

  /** The values from `from` (inclusive) to `end` (exclusive), in order. */
  values(from = '', end?: string): V[] {
    const values: V[] = []
    this.visit(value => void values.push(value), from, end)
    return values
  }

  /** How many entries there are from `from` (inclusive) to `end` (exclusive), without visiting them. */
  count(from = '', end?: string): number {
    const before = from === '' ? 0 : rank(this.#root, from)
    const upTo = end === undefined ? this.size : rank(this.#root, end)
    return Math.max(0, upTo - before)
  }
}

/** A leaf has `values` beside its keys; a branch has `children`, and as keys the smallest key each child was made with. */
interface Node<V> {
  readonly keys: readonly string[]
  readonly values: readonly V[]
  readonly children: readonly Node<V>[] | undefined
  readonly size: number
}

const MAX_ENTRIES = 32
const MIN_ENTRIES = 8
const NONE: readonly never[] = []

function leaf<V>(keys: readonly string[], values: readonly V[]): Node<V> {
  return { keys, values, children: undefined, size: keys.length }
}

function branch<V>(children: readonly Node<V>[]): Node<V> {
  const keys: string[] = []
  let size = 0
  for (const child of children) {
    keys.push(child.keys[0]!)
    size += child.size
  }
  return { keys, values: NONE, children, size }
}

/** Index of the first key that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the child whose part of the order holds `key`. */
function childFor(keys: readonly string[], key: string): number {
  const index = lowerBound(keys, key)
  return keys[index] === key ? index : Math.max(0, index - 1)
}

/** `node` with the entry; two nodes if one would be too big. */
function insert<V>(node: Node<V>, key: string, value: V): [Node<V>, Node<V>?] {
  if (!node.children) {
    const index = lowerBound(node.keys, key)
    if (node.keys[index] === key) {
      const values = node.values.slice()
      values[index] = value
      return [leaf(node.keys, values)]
    }
    const keys = inserted(node.keys, index, key)
    const values = inserted(node.values, index, value)
    if (keys.length <= MAX_ENTRIES) return [leaf(keys, values)]
    const at = splitPoint(index, keys.length)
    return [leaf(keys.slice(0, at), values.slice(0, at)), leaf(keys.slice(at), values.slice(at))]
  }
  const index = childFor(node.keys, key)
  const [left, right] = insert(node.children[index]!, key, value)
  const children = node.children.slice()
  if (!right) {
    const size = node.size + left.size - children[index]!.size
    children[index] = left
    return [left.keys[0] === node.keys[index] ? { keys: node.keys, values: NONE, children, size } : branch(children)]
  }
  children.splice(index, 1, left, right)
  if (children.length <= MAX_ENTRIES) return [branch(children)]
  const at = splitPoint(index, children.length)
  return [branch(children.slice(0, at)), branch(children.slice(at))]
}

/** A copy of `items` with one more at `index`. Hot: bench/loops — `splice` makes an array of what it takes out, too. */
function inserted<T>(items: readonly T[], index: number, item: T): T[] {
  const result = items.slice()
  result.push(item)
  for (let at = result.length - 1; at > index; at--) result[at] = result[at - 1]!
  result[index] = item
  return result
}

/** The middle; but who appends at the end, in order, leaves full nodes behind. */
function splitPoint(insertedAt: number, length: number): number {
  return insertedAt >= length - 2 ? length - MIN_ENTRIES : length >> 1
}

/** `node` without `key`, itself if it has none. Small neighbours are joined, so that the tree does not stay tall after many deletes. */
function remove<V>(node: Node<V>, key: string): Node<V> {
  if (!node.children) {
    const index = lowerBound(node.keys, key)
    if (node.keys[index] !== key) return node
    const keys = node.keys.slice()
    const values = node.values.slice()
    keys.splice(index, 1)
    values.splice(index, 1)
    return leaf(keys, values)
  }
  const index = childFor(node.keys, key)
  const before = node.children[index]!
  const after = remove(before, key)
  if (after === before) return node
  const children = node.children.slice()
  if (after.keys.length === 0) children.splice(index, 1)
  else children[index] = after
  if (children.length === 0) return leaf<V>([], [])
  if (after.keys.length > 0 && after.keys.length < MIN_ENTRIES) joinNeighbour(children, index)
  return branch(children)
}

function joinNeighbour<V>(children: Node<V>[], index: number): void {
  const at = index + 1 < children.length ? index : index - 1
  const left = children[at]
  const right = children[at + 1]
  if (!left || !right || left.keys.length + right.keys.length > MAX_ENTRIES) return
  const joined =
    left.children && right.children
      ? branch([...left.children, ...right.children])
      : leaf([...left.keys, ...right.keys], [...left.values, ...right.values])
  children.splice(at, 2, joined)
}

/** False once `visit` wanted to stop or `end` was reached. */
function walk<V>(node: Node<V>, visit: (value: V, key: string) => unknown, from: string, end: string | undefined): boolean {
  if (node.children) {
    for (let index = from === '' ? 0 : childFor(node.keys, from); index < node.children.length; index++) {
      if (!walk(node.children[index]!, visit, from, end)) return false
    }
    return true
  }
  for (let index = from === '' ? 0 : lowerBound(node.keys, from); index < node.keys.length; index++) {
    const key = node.keys[index]!
    if (end !== undefined && key >= end) return false
    if (visit(node.values[index]!, key) === false) return false
  }
  return true
}

/** How many entries are before `key`. */
function rank<V>(root: Node<V>, key: string): number {
  let node = root
  let before = 0
  while (node.children) {
    const index = childFor(node.keys, key)
    for (let child = 0; child < index; child++) before += node.children[child]!.size
    node = node.children[index]!
  }
  return before + lowerBound(node.keys, key)
}
