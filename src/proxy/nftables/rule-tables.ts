import type { Family } from '../addresses.ts'
import type { Element, Fragment } from './fragment.ts'
import { skeletonOf, type TableFacts } from './skeleton.ts'

/**
 * What the tables of one proxy should hold, and the nft commands that bring the kernel there. Every part belongs to an owner (a Service
 * port); what two owners want at once (the cluster IP of two ports, a disputed external IP) is counted, and where they disagree the owner
 * first in order wins, so that the result never depends on who came first.
 */
export class RuleTables {
  readonly #table: string
  readonly #facts: TableFacts
  readonly #wanted = new Map<string, Fragment>()
  /** What each owner had when commands were last taken, for those that were put since. */
  readonly #before = new Map<string, Fragment | undefined>()
  readonly #claims: Record<Family, Map<Element['set'], Map<string, Map<string, string>>>> = { ip: new Map(), ip6: new Map() }

  constructor(table: string, facts: TableFacts) {
    this.#table = table
    this.#facts = facts
  }

  /** Sets what `owner` wants; undefined when it wants nothing any more. */
  put(owner: string, fragment: Fragment | undefined): void {
    const current = this.#wanted.get(owner)
    if (current === fragment) return
    if (!this.#before.has(owner)) this.#before.set(owner, current)
    if (fragment) this.#wanted.set(owner, fragment)
    else this.#wanted.delete(owner)
  }

  /** The commands for what was put since the last call, as one transaction; undefined when nothing differs. */
  takeDifference(): string | undefined {
    const commands = this.#facts.families.flatMap(family => this.#difference(family))
    this.#before.clear()
    return commands.length > 0 ? `${commands.join('\n')}\n` : undefined
  }

  /** The commands that put everything in place of whatever was there, as one transaction. `clients` are remembered clients to keep, by set. */
  takeAll(clients: Readonly<Record<Family, ReadonlyMap<string, readonly string[]>>>): string {
    this.#before.clear()
    this.#claims.ip.clear()
    this.#claims.ip6.clear()
    for (const [owner, fragment] of this.#wanted) for (const element of fragment.elements) this.#claim(fragment.family, owner, element)
    return this.#facts.families.map(family => this.#everything(family, clients[family])).join('')
  }

  /** The commands that remove the tables, there or not. */
  removal(): string {
    return this.#facts.families.map(family => removeTable(family, this.#table)).join('')
  }

  /** Whether any client is remembered by address. */
  hasAffinity(): boolean {
    for (const fragment of this.#wanted.values()) if (fragment.sets.length > 0) return true
    return false
  }

  #everything(family: Family, clients: ReadonlyMap<string, readonly string[]>): string {
    const body = [skeletonOf(family, this.#facts)]
    const elements: string[] = []
    for (const fragment of this.#wanted.values()) {
      if (fragment.family !== family) continue
      for (const set of fragment.sets) {
        body.push(`set ${set} { ${clientSet(family)} }`)
        const known = clients.get(set)
        if (known?.length) elements.push(`add element ${family} ${this.#table} ${set} { ${known.join(', ')} }`)
      }
      for (const [chain, rules] of fragment.chains) body.push(`chain ${chain} {\n${rules}\n}`)
    }
    for (const [set, entries] of this.#claims[family]) {
      const list = [...entries].map(([key, claims]) => entry(key, winner(claims)!))
      if (list.length > 0) elements.push(`add element ${family} ${this.#table} ${set} { ${list.join(', ')} }`)
    }
    return `${removeTable(family, this.#table)}table ${family} ${this.#table} {\n${body.join('\n')}\n}\n${elements.map(line => `${line}\n`).join('')}`
  }

  /**
   * The order is what the kernel checks within a transaction: a chain exists before something goes to it, and nothing goes to it any more
   * before it is deleted.
   */
  #difference(family: Family): string[] {
    const add: string[] = []
    const rules: string[] = []
    const remove: string[] = []
    const table = `${family} ${this.#table}`
    for (const [owner, before] of this.#before) {
      const old = before?.family === family ? before : undefined
      const wanted = this.#wanted.get(owner)
      const next = wanted?.family === family ? wanted : undefined
      for (const set of next?.sets ?? []) if (!old?.sets.includes(set)) add.push(`add set ${table} ${set} { ${clientSet(family)} }`)
      for (const [chain, text] of next?.chains ?? []) {
        const present = old?.chains.get(chain)
        if (present === text) continue
        add.push(present === undefined ? `add chain ${table} ${chain}` : `flush chain ${table} ${chain}`)
        for (const rule of text.split('\n')) rules.push(`add rule ${table} ${chain} ${rule}`)
      }
      const gone = [...(old?.chains.keys() ?? [])].filter(chain => !next?.chains.has(chain))
      remove.push(...gone.map(chain => `flush chain ${table} ${chain}`))
      remove.push(...gone.reverse().map(chain => `delete chain ${table} ${chain}`))
      for (const set of old?.sets ?? []) if (!next?.sets.includes(set)) remove.push(`delete set ${table} ${set}`)
    }
    const elements = this.#elementCommands(family)
    // All flushes come before any deletion: the chain of one owner may still name a set or chain that goes in the same step.
    const order = (line: string) => (line.startsWith('flush') ? 0 : line.startsWith('delete chain') ? 1 : 2)
    return [...add, ...rules, ...elements, ...remove.sort((a, b) => order(a) - order(b))]
  }

  #elementCommands(family: Family): string[] {
    const touched = new Map<Element['set'], Map<string, string | undefined>>()
    const note = (element: Element) => {
      let keys = touched.get(element.set)
      if (!keys) {
        keys = new Map()
        touched.set(element.set, keys)
      }
      if (!keys.has(element.key)) keys.set(element.key, winner(this.#claims[family].get(element.set)?.get(element.key)))
    }
    for (const [owner, old] of this.#before) {
      for (const element of old?.family === family ? old.elements : []) {
        note(element)
        this.#unclaim(family, owner, element)
      }
    }
    for (const owner of this.#before.keys()) {
      const next = this.#wanted.get(owner)
      for (const element of next?.family === family ? next.elements : []) {
        note(element)
        this.#claim(family, owner, element)
      }
    }
    const commands: string[] = []
    for (const [set, keys] of touched) {
      const deleted: string[] = []
      const added: string[] = []
      for (const [key, before] of keys) {
        const now = winner(this.#claims[family].get(set)?.get(key))
        if (now === before) continue
        if (before !== undefined) deleted.push(entry(key, before))
        if (now !== undefined) added.push(entry(key, now))
      }
      if (deleted.length > 0) commands.push(`delete element ${family} ${this.#table} ${set} { ${deleted.join(', ')} }`)
      if (added.length > 0) commands.push(`add element ${family} ${this.#table} ${set} { ${added.join(', ')} }`)
    }
    return commands
  }

  #claim(family: Family, owner: string, element: Element): void {
    const sets = this.#claims[family]
    let keys = sets.get(element.set)
    if (!keys) {
      keys = new Map()
      sets.set(element.set, keys)
    }
    const claims = keys.get(element.key)
    if (claims) claims.set(owner, element.value)
    else keys.set(element.key, new Map([[owner, element.value]]))
  }

  #unclaim(family: Family, owner: string, element: Element): void {
    const keys = this.#claims[family].get(element.set)
    const claims = keys?.get(element.key)
    claims?.delete(owner)
    if (claims?.size === 0) keys!.delete(element.key)
  }
}

const removeTable = (family: Family, table: string) => `add table ${family} ${table}\ndelete table ${family} ${table}\n`
const clientSet = (family: Family) => `type ${family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'}; flags dynamic,timeout;`
const entry = (key: string, value: string) => (value === '' ? key : `${key} : ${value}`)

function winner(claims: ReadonlyMap<string, string> | undefined): string | undefined {
  if (!claims || claims.size === 0) return undefined
  let first: string | undefined
  for (const owner of claims.keys()) if (first === undefined || owner < first) first = owner
  return claims.get(first!)
}
