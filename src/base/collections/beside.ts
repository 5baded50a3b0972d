/** Values kept beside objects: what a WeakMap is, for very many of them. */
export interface Beside<V> {
  get(object: object): V | undefined
  set(object: object, value: V): void
}

/**
 * Hot: bench/apiserver — every garbage collection goes through all entries of a WeakMap, which with tens of thousands of objects was most of
 * the time spent on them. So the value is a private field of the object itself (a class may add one to what its base's constructor
 * answers): seen by nobody else, not copied with the object, and gone with it. Works on frozen objects, too.
 */
export function beside<V>(): Beside<V> {
  return class extends Itself {
    #value: V

    constructor(object: object, value: V) {
      super(object)
      this.#value = value
    }

    static get(object: object): V | undefined {
      return #value in object ? object.#value : undefined
    }

    static set(object: object, value: V): void {
      if (#value in object) object.#value = value
      else new this(object, value)
    }
  }
}

class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a subclass reaches an object that is there already
    return object
  }
}
