/**
 * Numbers each resource, so that amounts are kept as arrays of numbers and compared in a loop. The first four are fixed; extended
 * resources get theirs when first seen.
 */
export const CPU = 0
export const MEMORY = 1
export const EPHEMERAL_STORAGE = 2
export const PODS = 3

const names = ['cpu', 'memory', 'ephemeral-storage', 'pods']
const slots = new Map(names.map((name, slot) => [name, slot]))

/** The slot of a resource. */
export function slotOf(resource: string): number {
  let slot = slots.get(resource)
  if (slot === undefined) {
    slot = names.push(resource) - 1
    slots.set(resource, slot)
  }
  return slot
}

/** The resource of a slot. */
export function resourceOf(slot: number): string {
  return names[slot]!
}

/** Amounts by slot; what is absent is zero. */
export function amountsBySlot(amounts: Readonly<Record<string, number>>): number[] {
  const bySlot = [0, 0, 0, 0]
  for (const name of Object.keys(amounts)) {
    const slot = slotOf(name)
    while (bySlot.length <= slot) bySlot.push(0)
    bySlot[slot] = amounts[name]!
  }
  return bySlot
}
