/** Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign; an unknown name stays as it is written. */
export function expand(text: string, variable: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => {
    if (match === '$$') return '$'
    return variable(name!) ?? match
  })
}
