/** The name with the tag `latest`, if it has neither tag nor digest; throws what is wrong with it. */
export function withDefaultTag(image: string): string {
  if (image === '' || /\s/.test(image) || !/^[a-z0-9]/i.test(image)) throw new Error("couldn't parse image name")
  const [beforeDigest] = image.split('@')
  const path = beforeDigest!.slice(beforeDigest!.indexOf('/') < 0 ? 0 : beforeDigest!.lastIndexOf('/'))
  const repository = path.includes(':') ? beforeDigest!.slice(0, beforeDigest!.lastIndexOf(':')) : beforeDigest!
  const afterHost =
    repository.includes('/') && /[.:]|^localhost\//.test(repository.split('/')[0]!)
      ? repository.slice(repository.indexOf('/') + 1)
      : repository
  if (/[A-Z]/.test(afterHost) || afterHost.endsWith('/') || afterHost.includes('//')) throw new Error("couldn't parse image name")
  return path.includes(':') || image.includes('@') ? image : `${image}:latest`
}

/** The registry a name belongs to; names without one are of Docker Hub. */
export function registryOf(image: string): string {
  const first = image.split('/')[0]!
  return image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io'
}
