import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const TOKEN_TYPE = 'kubernetes.io/service-account-token'

/** Fills secrets of type service-account-token, and deletes those whose account is gone. */
export const serviceAccountTokenController = defineController({
  name: 'serviceaccount-token-controller',
  reconciles: Secret,
  watches: [
    mapped(ServiceAccount, (account, { cacheOf }) =>
      cacheOf(Secret)
        .list(account.metadata.namespace)
        .filter(secret => accountOf(secret) === account.metadata.name),
    ),
  ],
  writes: [whole(Secret)],
  async reconcile(secret, { client, parameters }) {
    const { namespace = '', name = '', uid, annotations = {}, deletionTimestamp } = secret.metadata
    const { signServiceAccountToken: sign, rootCA } = parameters
    const accountName = accountOf(secret)
    if (!sign || accountName === undefined || deletionTimestamp) return
    // Asked of the server itself: a token must not be deleted because a cache is behind.
    const account = await accountNamed(client, namespace, accountName)
    const wantedUid = annotations[ACCOUNT_UID]
    if (!account || (wantedUid && wantedUid !== account.metadata.uid)) {
      await client.delete(Secret, secret, { preconditions: { uid } }).catch(error => {
        if (!isNotFound(error) && !isConflict(error)) throw error
      })
      return
    }
    const accountUid = account.metadata.uid ?? ''
    const data: Record<string, string> = { ...secret.data }
    if (rootCA !== undefined) data['ca.crt'] = btoa(rootCA)
    data['namespace'] = btoa(namespace)
    if (!data['token']) {
      data['token'] = btoa(await sign({ namespace, serviceAccount: accountName, serviceAccountUid: accountUid, secret: name }))
    }
    const isComplete = ['ca.crt', 'namespace', 'token'].every(key => data[key] === secret.data?.[key])
    if (isComplete && wantedUid === accountUid) return
    await client.update(Secret, {
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: accountUid } },
      data,
    })
  },
})

/** The account that a token secret is for. */
function accountOf({ type, metadata }: Secret): string | undefined {
  const name = metadata.annotations?.[ACCOUNT_NAME]
  return type === TOKEN_TYPE && name !== '' ? name : undefined
}

async function accountNamed(
  client: { get(kind: typeof ServiceAccount, name: { namespace: string; name: string }): Promise<ServiceAccount> },
  namespace: string,
  name: string,
): Promise<ServiceAccount | undefined> {
  try {
    return await client.get(ServiceAccount, { namespace, name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
