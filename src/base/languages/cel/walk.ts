import type { Expression } from './ast.ts'

/** The nodes right below a node, in the order in which they stand. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'select':
      return [node.operand]
    case 'call':
      return node.target === undefined ? node.arguments : [node.target, ...node.arguments]
    case 'list':
      return node.elements
    case 'map':
      return node.entries.flatMap(entry => [entry.key, entry.value])
    case 'struct':
      return node.fields.map(field => field.value)
    case 'comprehension':
      return [node.range, node.initial, node.condition, node.step, node.result]
    default:
      return []
  }
}

/** A node and all below it. */
export function* nodesOf(root: Expression): Generator<Expression> {
  const pending = [root]
  while (pending.length > 0) {
    const node = pending.pop()!
    yield node
    pending.push(...[...childrenOf(node)].reverse())
  }
}
