import type { Secret } from '#kinds/core/v1/secret.ts'
import type { ImageAuth } from '../runtime/runtime.ts'
import { registryOf } from './image-names.ts'

interface DockerAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

/** The credentials in pull secrets that fit an image: the most precise address first. */
export function credentialsFor(image: string, secrets: readonly Secret[]): ImageAuth[] {
  const found: { address: string; auth: ImageAuth }[] = []
  for (const [address, auth] of secrets.flatMap(authsOf)) {
    if (fits(address, image)) found.push({ address: address.replace(/^https?:\/\//, ''), auth: authOf(auth) })
  }
  return found.sort((a, b) => b.address.length - a.address.length).map(({ auth }) => auth)
}

function authsOf(secret: Secret): [string, DockerAuth][] {
  const read = (key: string): unknown => {
    const text = secret.data?.[key]
    if (text === undefined) return undefined
    try {
      return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    } catch {
      return undefined
    }
  }
  if (secret.type === 'kubernetes.io/dockerconfigjson') {
    const config = read('.dockerconfigjson') as { auths?: Record<string, DockerAuth> } | undefined
    return Object.entries(config?.auths ?? {})
  }
  if (secret.type === 'kubernetes.io/dockercfg') return Object.entries((read('.dockercfg') as Record<string, DockerAuth> | undefined) ?? {})
  return []
}

/** Without an address: containerd takes it for a URL and refuses `host:port`, and the image names the registry anyway. */
function authOf(auth: DockerAuth): ImageAuth {
  const [username, ...password] = Buffer.from(auth.auth ?? '', 'base64')
    .toString('utf8')
    .split(':')
  return {
    username: auth.username ?? username ?? '',
    password: auth.password ?? password.join(':'),
    ...(auth.identitytoken ? { identityToken: auth.identitytoken } : {}),
    ...(auth.registrytoken ? { registryToken: auth.registrytoken } : {}),
  }
}

/** An address is a host, with or without scheme and path; `*` stands for one part of the host's name. */
function fits(address: string, image: string): boolean {
  const [host, ...path] = address
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '')
    .split('/')
  const registry = registryOf(image)
  const wanted = host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host!
  const pattern = wanted.split('.')
  const parts = registry.split('.')
  if (pattern.length !== parts.length) return false
  if (!pattern.every((part, index) => part === parts[index] || (part.includes('*') && globFits(part, parts[index]!)))) return false
  const name = registry === 'docker.io' && !image.startsWith('docker.io/') ? image : image.slice(registry.length + 1)
  return path.length === 0 || name === path.join('/') || name.startsWith(`${path.join('/')}/`)
}

function globFits(pattern: string, text: string): boolean {
  const [head, ...rest] = pattern.split('*')
  const tail = rest.join('*')
  return text.length >= head!.length + tail.length && text.startsWith(head!) && text.endsWith(tail)
}
