import { EVENT_ID, getScalarValue, parseEvents } from 'js-yaml'

/** The keys that stand twice in one map of `text`, as upstream words it: `line 3: key "q" already set in map`. */
export function repeatedKeys(text: string, maxDepth: number): readonly string[] {
  const found: string[] = []
  const open: Open[] = []
  const lines = lineCounter(text)
  for (const event of parseEvents(text, { maxDepth })) {
    const top = open.at(-1)
    if (event.type === EVENT_ID.POP) {
      open.pop()
      continue
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      open.push({ keys: undefined, isKeyNext: false })
      continue
    }
    if (top?.keys) {
      if (top.isKeyNext && event.type === EVENT_ID.SCALAR) {
        const key = getScalarValue(text, event)
        if (key !== '<<' && top.keys.has(key)) found.push(`line ${lines(event.valueStart)}: key ${JSON.stringify(key)} already set in map`)
        top.keys.add(key)
      }
      top.isKeyNext = !top.isKeyNext
    }
    if (event.type === EVENT_ID.MAPPING) open.push({ keys: new Set(), isKeyNext: true })
    else if (event.type === EVENT_ID.SEQUENCE) open.push({ keys: undefined, isKeyNext: false })
  }
  return found
}

/** A map (with its keys so far), a list or a document that is being read. */
interface Open {
  readonly keys: Set<string> | undefined
  isKeyNext: boolean
}

/** Line numbers of positions that only grow. */
function lineCounter(text: string): (position: number) => number {
  let line = 1
  let at = 0
  return position => {
    for (let next = text.indexOf('\n', at); next >= 0 && next < position; next = text.indexOf('\n', at)) {
      line++
      at = next + 1
    }
    return line
  }
}
