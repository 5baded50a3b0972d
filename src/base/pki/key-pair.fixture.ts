import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key of a kind (`ec P-256`, `rsa 3072`, `ed25519`, `x25519`) and a text signed with it, both in base64. */
export function proofOf(kind: string, text: string): { readonly pkixPublicKey: string; readonly proofOfPossession: string } {
  const { publicKey, privateKey } = pairOf(kind)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN }
  const proof =
    kind === 'x25519'
      ? Buffer.from('none')
      : sign(kind === 'ed25519' ? null : 'sha256', Buffer.from(text), { key: privateKey, ...(kind.startsWith('rsa') ? pss : {}) })
  return {
    pkixPublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    proofOfPossession: proof.toString('base64'),
  }
}

const known = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>()

/** Large keys take long to make: there is one of each. */
function pairOf(kind: string) {
  const pair = known.get(kind) ?? newPair(kind)
  known.set(kind, pair)
  return pair
}

function newPair(kind: string): { publicKey: KeyObject; privateKey: KeyObject } {
  const [type, size = ''] = kind.split(' ')
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: size })
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: Number(size) })
  return type === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ed25519')
}
