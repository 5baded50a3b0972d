/** A count, or a share of a total: `3`, `"25%"`. Some fields take the name of a port instead. */
export type IntOrString = number | string

/** What `value` is of `total`: percentages are scaled, rounded up or down. Throws where a string is no percentage, in upstream's words. */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const share = (percentOf(value) * total) / 100
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** The number before the percent sign. */
export function percentOf(value: string): number {
  if (!value.endsWith('%')) throw new RangeError('invalid type: string is not a percentage')
  const digits = value.slice(0, -1)
  if (!/^[+-]?[0-9]{1,15}$/.test(digits)) {
    throw new RangeError(`invalid value "${value}": strconv.Atoi: parsing "${digits}": invalid syntax`)
  }
  return Number(digits)
}

/** Whether `value` is text that {@link scaledValue} understands as a share. */
export function isPercentage(value: IntOrString): value is string {
  return typeof value === 'string' && /^[0-9]+%$/.test(value)
}
