import type { Expression } from './ast.ts'
import type { Token } from './lexer.ts'
import { ACCUMULATOR, type ExpressionMaker } from './macro.ts'

/** Makes the nodes of one tree: each has an id, by which the offset in the source is known. */
export class NodeMaker {
  readonly offsets = new Map<number, number>()
  #nextId = 1

  node(node: DistributiveOmit<Expression, 'id'>, id: number): Expression {
    return { id, ...node } as Expression
  }

  idOf(token: Token): number {
    return this.newId(token.offset)
  }

  newId(offset: number): number {
    const id = this.#nextId++
    this.offsets.set(id, offset)
    return id
  }

  /** What a macro builds with, in the place of its call. */
  maker(callId: number): ExpressionMaker {
    const id = () => this.newId(this.offsets.get(callId)!)
    return {
      literal: value => ({ id: id(), kind: 'literal', value }),
      ident: name => ({ id: id(), kind: 'ident', name }),
      select: (operand, field, testOnly = false) => ({ id: id(), kind: 'select', operand, field, testOnly }),
      call: (name, ...args) => ({ id: id(), kind: 'call', function: name, target: undefined, arguments: args }),
      member: (name, target, ...args) => ({ id: id(), kind: 'call', function: name, target, arguments: args }),
      list: (...elements) => ({ id: id(), kind: 'list', elements, optionals: new Set() }),
      map: () => ({ id: id(), kind: 'map', entries: [] }),
      copy: expression => this.#copy(expression),
      fold: ({ variable2, accumulator = ACCUMULATOR, ...parts }) => ({
        id: id(),
        kind: 'comprehension',
        ...parts,
        variable2,
        accumulator,
      }),
    }
  }

  #copy(node: Expression): Expression {
    const id = this.newId(this.offsets.get(node.id)!)
    const copy = (child: Expression) => this.#copy(child)
    switch (node.kind) {
      case 'select':
        return { ...node, id, operand: copy(node.operand) }
      case 'call':
        return { ...node, id, target: node.target && copy(node.target), arguments: node.arguments.map(copy) }
      case 'list':
        return { ...node, id, elements: node.elements.map(copy) }
      case 'map':
        return { ...node, id, entries: node.entries.map(entry => ({ ...entry, key: copy(entry.key), value: copy(entry.value) })) }
      case 'struct':
        return { ...node, id, fields: node.fields.map(field => ({ ...field, value: copy(field.value) })) }
      case 'comprehension': {
        const { range, initial, condition, step, result } = node
        return {
          ...node,
          id,
          range: copy(range),
          initial: copy(initial),
          condition: copy(condition),
          step: copy(step),
          result: copy(result),
        }
      }
      default:
        return { ...node, id }
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
