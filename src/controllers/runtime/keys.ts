/** `namespace/name`, or `/name` for an object without a namespace: how queues name objects. */
export function keyOf(object: {
  readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined }
}): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
}

/** The namespace ('' if none) and name that a key stands for. */
export function partsOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
