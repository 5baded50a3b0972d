/** A double as Go's `FormatFloat(x, 'g', -1, 64)` writes it: `1e+06`, `0.1`, `+Inf`. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const digits = mantissa.replace(/[-.]/g, '').length
  const power = Number(exponent)
  // Go takes the exponent's form from 21 on where the digits are shortest, and from as many digits as there are otherwise.
  if (power < -4 || power >= Math.max(digits, 21)) return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  return plainDouble(value)
}

/** A double without an exponent, in as few digits as say it. */
export function plainDouble(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  const [mantissa, exponent] = text.split('e') as [string, string]
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.') as [string, string?]
  const power = Number(exponent)
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${whole}${fraction}`
  return `${sign}${whole}${fraction.padEnd(power, '0')}`
}
