import type { Clock, Timer } from '#base/time/clock.ts'

/** What a member says of the lead: the number of the election it knows of, and who won it (0: nobody yet). */
export interface Lead {
  readonly term: number
  readonly leader: number
}

/** A call that was handed to a member and has no answer yet. */
interface WaitingCall {
  readonly member: number
  readonly sinceMs: number
  /** The newest election that was known of when it began. */
  readonly term: number
  readonly abandon: () => void
  /** Since when it is known that another one leads. */
  changedAtMs?: number
}

/** A call that has waited this long makes one ask who leads; until then nobody is asked anything. */
const ASK_AFTER_MS = 500
/** What a new leader does not finish within this time was lost with the one before. */
const GRACE_MS = 500

/**
 * The calls that have no answer yet. A member sends a write, and the question how far it must have come before it may read, on to the leader
 * once; what is on its way when the leader is lost is lost, and the member says so only seven seconds later, when another one has led for long.
 * So the member is asked who leads while a call waits, and the call is given up soon after there was an election.
 */
export class WaitingCalls {
  readonly #clock: Clock
  readonly #askLead: (member: number) => Promise<Lead>
  readonly #calls = new Set<WaitingCall>()
  #timer: Timer | undefined
  #term = 0

  /** `askLead` asks one member, which answers by itself; it rejects when that does not answer in time. */
  constructor(clock: Clock, askLead: (member: number) => Promise<Lead>) {
    this.#clock = clock
    this.#askLead = askLead
  }

  /** Every answer tells the election of its time. */
  sawTerm(term: number): void {
    if (term > this.#term) this.#term = term
  }

  /** A call begins, and ends when what this answers is disposed; meanwhile `abandon` may be called, once. */
  begin(member: number, abandon: () => void): Disposable {
    const call: WaitingCall = { member, sinceMs: this.#clock.monotonic(), term: this.#term, abandon }
    this.#calls.add(call)
    this.#timer ??= this.#clock.after(ASK_AFTER_MS, () => void this.#look())
    return { [Symbol.dispose]: () => void this.#calls.delete(call) }
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#calls.clear()
  }

  async #look(): Promise<void> {
    const late = [...this.#calls].filter(call => this.#clock.monotonic() - call.sinceMs >= ASK_AFTER_MS)
    const members = [...new Set(late.map(({ member }) => member))]
    await Promise.all(
      members.map(async member => {
        const lead = await this.#askLead(member).catch(() => undefined)
        if (lead) for (const call of late) if (call.member === member) this.#judge(call, lead)
      }),
    )
    this.#timer = this.#calls.size > 0 ? this.#clock.after(ASK_AFTER_MS / 2, () => void this.#look()) : undefined
  }

  #judge(call: WaitingCall, { term, leader }: Lead): void {
    if (!this.#calls.has(call) || leader === 0 || term <= call.term) return
    const now = this.#clock.monotonic()
    call.changedAtMs ??= now
    if (now - call.changedAtMs < GRACE_MS) return
    this.#calls.delete(call)
    call.abandon()
  }
}
