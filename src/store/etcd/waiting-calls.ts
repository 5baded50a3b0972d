import type { Clock, Timer } from '#base/time/clock.ts'

/** What a member says of the lead: the number of the election it knows of, and who won it (0: nobody yet). */
export interface Lead {
  readonly term: number
  readonly leader: number
}

/** Why a call will hardly be answered: another member leads than when it began, or the one that has it says nothing any more. */
export type Loss = 'lead' | 'member'

/** A call that was handed to a member and has no answer yet. */
interface WaitingCall {
  readonly member: number
  readonly sinceMs: number
  /** The newest election that was known of when it began. */
  readonly term: number
  readonly abandon: (loss: Loss) => void
  /** How often in a row its member has said nothing when asked. */
  silences: number
  /** Since when it is known that another one leads. */
  changedAtMs?: number
}

/** A call that has waited this long makes one ask who leads; until then nobody is asked anything. */
const ASK_AFTER_MS = 500
/** What a new leader does not finish within this time was lost with the one before. */
const GRACE_MS = 500
/** Once may be this process's own fault, which was stopped for a while and finds the time over before it has read the answer. */
const SILENCES = 2

/**
 * The calls that have no answer yet. A member sends a write, and the question how far it must have come before it may read, on to the leader
 * once; what is on its way when the leader is lost is lost, and the member says so only seven seconds later, when another one has led for long.
 * So the member is asked who leads while a call waits, and the call is given up soon after there was an election. A member whose machine is cut
 * off or stopped does not even say that: the connection to it stands for a quarter of a minute, so its silence ends a call as well.
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
  begin(member: number, abandon: (loss: Loss) => void): Disposable {
    const call: WaitingCall = { member, sinceMs: this.#clock.monotonic(), term: this.#term, abandon, silences: 0 }
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
        for (const call of late) if (call.member === member) this.#judge(call, lead)
      }),
    )
    const isSilent = late.some(({ silences }) => silences > 0)
    this.#timer = this.#calls.size > 0 ? this.#clock.after(isSilent ? 0 : ASK_AFTER_MS / 2, () => void this.#look()) : undefined
  }

  #judge(call: WaitingCall, lead: Lead | undefined): void {
    if (!this.#calls.has(call)) return
    const now = this.#clock.monotonic()
    call.silences = lead ? 0 : call.silences + 1
    if (lead && lead.leader !== 0 && lead.term > call.term) call.changedAtMs ??= now
    if (call.silences >= SILENCES) this.#giveUp(call, 'member')
    else if (lead && lead.leader !== 0 && now - (call.changedAtMs ?? now) >= GRACE_MS) this.#giveUp(call, 'lead')
  }

  #giveUp(call: WaitingCall, loss: Loss): void {
    this.#calls.delete(call)
    call.abandon(loss)
  }
}
