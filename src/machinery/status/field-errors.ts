import { type FieldError, type FieldErrorType, OMITTED, supportedValues } from './field-error.ts'

/**
 * Collects what is wrong with an object while a validator walks it: `errors.at('spec').at('containers').index(0).required('…')`.
 *
 * A collector stands at a path; `at`, `index` and `key` step down from it and share the list. A path becomes text only when an error is
 * reported, so walking a valid object costs one small object per step.
 */
export class FieldErrors {
  readonly #list: FieldError[]
  readonly #parent: FieldErrors | undefined
  readonly #segment: string | number
  readonly #isKey: boolean

  constructor(list: FieldError[] = [], parent?: FieldErrors, segment: string | number = '', isKey = false) {
    this.#list = list
    this.#parent = parent
    this.#segment = segment
    this.#isKey = isKey
  }

  /** The field `name` of this object: `spec.replicas`. */
  at(name: string): FieldErrors {
    return new FieldErrors(this.#list, this, name)
  }

  /** The element at `index` of this list: `containers[0]`. */
  index(index: number): FieldErrors {
    return new FieldErrors(this.#list, this, index)
  }

  /** The entry `key` of this map: `labels[app]`. */
  key(key: string): FieldErrors {
    return new FieldErrors(this.#list, this, key, true)
  }

  /** Everything reported so far, at any path, in order. */
  get all(): readonly FieldError[] {
    return this.#list
  }

  get isEmpty(): boolean {
    return this.#list.length === 0
  }

  required(detail = ''): void {
    this.#report('FieldValueRequired', '', detail)
  }

  invalid(badValue: unknown, detail: string): void {
    this.#report('FieldValueInvalid', badValue, detail)
  }

  /** One `invalid` for each of `details` (the answers of the checks in `meta/names.ts`). */
  invalidEach(badValue: unknown, details: readonly string[]): void {
    for (const detail of details) this.#report('FieldValueInvalid', badValue, detail)
  }

  typeInvalid(badValue: unknown, detail: string): void {
    this.#report('FieldValueTypeInvalid', badValue, detail)
  }

  notSupported(badValue: unknown, supported: readonly string[]): void {
    this.#report('FieldValueNotSupported', badValue, supportedValues(supported))
  }

  duplicate(badValue: unknown, detail = ''): void {
    this.#report('FieldValueDuplicate', badValue, detail)
  }

  forbidden(detail: string): void {
    this.#report('FieldValueForbidden', '', detail)
  }

  notFound(badValue: unknown, detail = ''): void {
    this.#report('FieldValueNotFound', badValue, detail)
  }

  /** The value is longer than `maxBytes`; a negative limit is not named. */
  tooLong(maxBytes: number): void {
    const unit = maxBytes === 1 ? 'byte' : 'bytes'
    this.#report('FieldValueTooLong', '', maxBytes < 0 ? 'value is too long' : `may not be more than ${maxBytes} ${unit}`)
  }

  /** As {@link tooLong}, for limits counted in characters. */
  tooLongCharacters(maxCharacters: number): void {
    this.#report('FieldValueTooLong', '', maxCharacters < 0 ? 'value is too long' : `may not be more than ${maxCharacters} characters`)
  }

  /** The list holds `actual` items where `max` are allowed; negative numbers are not named. */
  tooMany(actual: number, max: number): void {
    const unit = max === 1 ? 'item' : 'items'
    this.#report('FieldValueTooMany', actual < 0 ? OMITTED : actual, max < 0 ? 'has too many items' : `must have at most ${max} ${unit}`)
  }

  internal(detail: string): void {
    this.#report('InternalError', null, detail)
  }

  /** Takes over errors that another walk found; their fields are absolute already. */
  addAll(errors: readonly FieldError[]): void {
    this.#list.push(...errors)
  }

  /** The path as messages show it; the root is `<nil>`, and a field without a name is `[]`. */
  get path(): string {
    if (!this.#parent) return '<nil>'
    let path = ''
    for (let step: FieldErrors = this; step.#parent; step = step.#parent) {
      if (typeof step.#segment === 'number' || step.#isKey || step.#segment === '') path = `[${step.#segment}]${path}`
      else path = step.#parent.#parent ? `.${step.#segment}${path}` : `${step.#segment}${path}`
    }
    return path
  }

  #report(type: FieldErrorType, badValue: unknown, detail: string): void {
    this.#list.push({ type, field: this.path, badValue, detail })
  }
}
