/**
 * Deals a hand of queues to a flow (KEP-1040): the same flow always gets the same hand, and two flows seldom the same one, so that a flow
 * that fills its queues leaves the others at least one that is free.
 *
 * @param name what identifies the flow
 * @param deckSize how many queues there are
 * @param handSize how many of them are dealt; at most `deckSize`
 * @returns the numbers of the queues, all different, in the order they are dealt
 */
export function dealHand(name: string, deckSize: number, handSize: number): number[] {
  let hash = hashOf(name)
  const hand: number[] = []
  for (let dealt = 0; dealt < Math.min(handSize, deckSize); dealt++) {
    const left = BigInt(deckSize - dealt)
    let card = Number(hash % left)
    hash /= left
    // The card is a number among those left: count past the ones that were dealt before.
    for (const before of [...hand].sort((a, b) => a - b)) if (card >= before) card++
    hand.push(card)
  }
  return hand
}

/** FNV-1a, 64 bits. */
function hashOf(name: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (let at = 0; at < name.length; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(name.charCodeAt(at))) * 0x100000001b3n)
  }
  return hash
}
