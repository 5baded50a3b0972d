import type { UserInfo } from '#client/direct/api-handler.ts'
import type { AccessAnswer, AccessQuestion } from '#machinery/cel/library/authorizer.ts'
import type { Attributes, Authorizer, Decision } from '../../authorization/authorizer.ts'

/** An answer has to be waited for: the expression is evaluated again when it is there. */
class Pending extends Error {
  readonly answer: Promise<void>
  constructor(answer: Promise<void>) {
    super('waiting for an authorizer')
    this.answer = answer
  }
}

/** What the authorizer says to the expressions that look at one request. It is asked every question once. */
export class AccessAnswers {
  readonly #authorizer: Authorizer
  readonly #user: UserInfo
  readonly #known = new Map<string, AccessAnswer>()

  constructor(authorizer: Authorizer, user: UserInfo) {
    this.#authorizer = authorizer
    this.#user = user
  }

  /** For the value `authorizer`. Throws where the answer is yet to come, which {@link waitingFor} waits for. */
  readonly answer = (question: AccessQuestion): AccessAnswer => {
    const key = JSON.stringify(question)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const decision = this.#authorizer.authorize(this.#attributesOf(question))
    if (!(decision instanceof Promise)) {
      const answer = answerOf(decision)
      this.#known.set(key, answer)
      return answer
    }
    throw new Pending(
      decision.then(
        decided => {
          this.#known.set(key, answerOf(decided))
        },
        (error: unknown) => {
          this.#known.set(key, { allowed: false, reason: '', error: error instanceof Error ? error.message : String(error) })
        },
      ),
    )
  }

  #attributesOf({ serviceAccount, ...question }: AccessQuestion): Attributes {
    const user = serviceAccount === undefined ? this.#user : userOf(serviceAccount)
    if ('path' in question) return { user, verb: question.verb, path: question.path }
    const { fieldSelector, labelSelector, ...resource } = question
    return {
      user,
      version: '*',
      ...resource,
      ...(fieldSelector === '' ? {} : { fieldSelector }),
      ...(labelSelector === '' ? {} : { labelSelector }),
    }
  }
}

/** Evaluates, and once more for each answer that has to be waited for. Nearly always at once. */
export function waitingFor<T>(evaluate: () => T): T | Promise<T> {
  try {
    return evaluate()
  } catch (error) {
    if (!(error instanceof Pending)) throw error
    return error.answer.then(() => waitingFor(evaluate))
  }
}

function answerOf({ verdict, reason }: Decision): AccessAnswer {
  return { allowed: verdict === 'allow', reason }
}

function userOf({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}
