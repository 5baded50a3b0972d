import { MAX_INT, MIN_INT } from '#base/languages/cel/arithmetic.ts'
import { declareFunction, globalOverload, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, DOUBLE, INT, opaque, STRING } from '#base/languages/cel/types.ts'
import { Quantity } from '../../quantity/quantity.ts'
import { OpaqueValue } from './opaque-value.ts'
import { succeeds } from './succeeds.ts'

export const QUANTITY_TYPE = opaque('kubernetes.Quantity')
type QuantityValue = OpaqueValue<Quantity>

const quantityValue = (quantity: Quantity): QuantityValue => new OpaqueValue(QUANTITY_TYPE, quantity, (a, b) => a.equals(b))
/** The value of a quantity's text. Throws an {@link EvaluationError} for what is none. */
export function quantityOf(text: string): QuantityValue {
  return quantityValue(parse(text))
}

const two = [QUANTITY_TYPE, QUANTITY_TYPE]
const withInt = [QUANTITY_TYPE, INT]

/** `quantity('1Gi')`, `isQuantity`, and reckoning with quantities. */
export const QUANTITY_LIBRARY: Library = {
  types: [QUANTITY_TYPE],
  functions: [
    declareFunction(
      'quantity',
      globalOverload('string_to_quantity', [STRING], QUANTITY_TYPE, (text: string) => quantityValue(parse(text))),
    ),
    declareFunction(
      'isQuantity',
      globalOverload('is_quantity_string', [STRING], BOOL, (text: string) => succeeds(() => parse(text))),
    ),
    declareFunction(
      'sign',
      globalOverload('quantity_sign', [QUANTITY_TYPE], INT, (value: QuantityValue) => BigInt(value.held.sign)),
      memberOverload('quantity_sign_member', [QUANTITY_TYPE], INT, (value: QuantityValue) => BigInt(value.held.sign)),
    ),
    declareFunction(
      'isGreaterThan',
      memberOverload('quantity_is_greater_than', two, BOOL, (a: QuantityValue, b: QuantityValue) => a.held.compare(b.held) > 0),
    ),
    declareFunction(
      'isLessThan',
      memberOverload('quantity_is_less_than', two, BOOL, (a: QuantityValue, b: QuantityValue) => a.held.compare(b.held) < 0),
    ),
    declareFunction(
      'compareTo',
      memberOverload('quantity_compare_to', two, INT, (a: QuantityValue, b: QuantityValue) => BigInt(a.held.compare(b.held))),
    ),
    declareFunction(
      'asApproximateFloat',
      memberOverload('quantity_get_float', [QUANTITY_TYPE], DOUBLE, (value: QuantityValue) => value.held.toFloat()),
    ),
    declareFunction(
      'asInteger',
      memberOverload('quantity_get_int', [QUANTITY_TYPE], INT, (value: QuantityValue) => {
        const whole = wholeOf(value.held)
        if (whole === undefined) throw new EvaluationError('cannot convert value to integer')
        return whole
      }),
    ),
    declareFunction(
      'isInteger',
      memberOverload('quantity_is_integer', [QUANTITY_TYPE], BOOL, (value: QuantityValue) => wholeOf(value.held) !== undefined),
    ),
    declareFunction(
      'add',
      memberOverload('quantity_add', two, QUANTITY_TYPE, (a: QuantityValue, b: QuantityValue) => quantityValue(a.held.add(b.held))),
      memberOverload('quantity_add_int', withInt, QUANTITY_TYPE, (a: QuantityValue, b: bigint) =>
        quantityValue(a.held.add(Quantity.of(b))),
      ),
    ),
    declareFunction(
      'sub',
      memberOverload('quantity_sub', two, QUANTITY_TYPE, (a: QuantityValue, b: QuantityValue) => quantityValue(a.held.subtract(b.held))),
      memberOverload('quantity_sub_int', withInt, QUANTITY_TYPE, (a: QuantityValue, b: bigint) =>
        quantityValue(a.held.subtract(Quantity.of(b))),
      ),
    ),
  ],
}

function parse(text: string): Quantity {
  try {
    return Quantity.parse(text)
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error))
  }
}

/** The amount, if it is a whole number that 64 bits hold. */
function wholeOf({ mantissa, scale }: Quantity): bigint | undefined {
  if (mantissa === 0n) return 0n
  if (scale > 20) return undefined
  const unit = 10n ** BigInt(Math.abs(scale))
  if (scale < 0 && mantissa % unit !== 0n) return undefined
  const whole = scale < 0 ? mantissa / unit : mantissa * unit
  return whole < MIN_INT || whole > MAX_INT ? undefined : whole
}
