import { setTimeout as delay } from 'node:timers/promises'
import { type ApiServerProcess, ask } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* Attacks by what expressions of policies cost: those who write objects decide over what they run. */

const POLICIES = '/apis/admissionregistration.k8s.io/v1'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

attack({
  does: 'has an expression match a text that makes a pattern explode',
  without: [
    {
      file: 'base/languages/cel/regex.ts',
      guard: 'made = RE2JS.compile(pattern)',
      instead:
        'const explosive = new RegExp(pattern); made = { matcher: (text: string) => ({ find: () => explosive.test(text) }), test: (text: string) => explosive.test(text) } as unknown as RE2JS',
    },
  ],
  async attempt(server) {
    await demand(server, "!object.data['text'].matches('^(a+)+$')")
    return isBusyWith(server, { text: `${'a'.repeat(60)}!` })
  },
})

attack({
  does: 'has an expression go through an object as often as it has entries, and that for each of them',
  without: [
    {
      file: 'base/languages/cel/frame.ts',
      guard: 'if (this.cost > this.#budget) throw new BudgetExceeded()',
      instead: 'void [BudgetExceeded, this.#budget]',
    },
  ],
  async attempt(server) {
    await demand(server, 'object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != "x")))')
    return isBusyWith(server, Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`key-${n}`, 'v'])))
  },
})

/** Puts a policy for config maps in force, and waits until it is. */
async function demand(server: ApiServerProcess, expression: string): Promise<void> {
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }
  await create(server, `${POLICIES}/validatingadmissionpolicies`, {
    metadata: { name: 'demand' },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: `has(object.data) && !('probe' in object.data) && ${expression}` }],
    },
  })
  await create(server, `${POLICIES}/validatingadmissionpolicybindings`, {
    metadata: { name: 'demand' },
    spec: { policyName: 'demand', validationActions: ['Deny'] },
  })
  for (let tries = 0; tries < 200; tries++) {
    const body = { metadata: { name: `probe-${tries}` }, data: { probe: '' } }
    if ((await ask(server, 'POST', CONFIG_MAPS, { token: 'admin', body })).status === 422) return
    await delay(50)
  }
  throw new Error('the policy is not in force')
}

/** Whether the server has nothing to say for five seconds once it has to check an object with such data. */
async function isBusyWith(server: ApiServerProcess, data: object): Promise<boolean> {
  const body = { metadata: { name: 'attack' }, data }
  const asked = ask(server, 'POST', CONFIG_MAPS, { token: 'admin', body }).catch(() => undefined)
  return (await Promise.race([asked.then(() => true), delay(5000).then(() => false)])) === false
}

async function create(server: ApiServerProcess, path: string, body: object): Promise<void> {
  const { status, text } = await ask(server, 'POST', path, { token: 'admin', body })
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
}
