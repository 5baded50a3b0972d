/** Two loops that are one controller to the outside. */
export function both(first: AsyncDisposable, second: AsyncDisposable): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()])
    },
  }
}
