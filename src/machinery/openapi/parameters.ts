/** What a query parameter holds. */
export interface Parameter {
  readonly type: 'string' | 'boolean' | 'integer'
  readonly description: string
}

/** All query parameters of the API by name. */
export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  allowWatchBookmarks: { type: 'boolean', description: 'Whether a watch may send bookmarks.' },
  command: { type: 'string', description: 'The command and its arguments.' },
  container: { type: 'string', description: 'The container, where the pod has several.' },
  continue: { type: 'string', description: 'The token of the list that this one goes on with.' },
  dryRun: { type: 'string', description: '`All`: everything but the storing is done.' },
  fieldManager: { type: 'string', description: 'The name under which changed fields are owned.' },
  fieldSelector: { type: 'string', description: 'Only objects with these fields.' },
  fieldValidation: { type: 'string', description: 'What becomes of unknown and repeated fields: Ignore, Warn or Strict.' },
  follow: { type: 'boolean', description: 'Whether to go on with the log as it is written.' },
  force: { type: 'boolean', description: 'Whether an apply takes fields from other managers.' },
  gracePeriodSeconds: { type: 'integer', description: 'Seconds that the object is given to end.' },
  ignoreStoreReadErrorWithClusterBreakingPotential: {
    type: 'boolean',
    description: 'Deletes an object that cannot be read. Can break the cluster.',
  },
  insecureSkipTLSVerifyBackend: { type: 'boolean', description: "Does not check the kubelet's certificate." },
  labelSelector: { type: 'string', description: 'Only objects with these labels.' },
  limit: { type: 'integer', description: 'At most so many objects; the answer says how to go on.' },
  limitBytes: { type: 'integer', description: 'At most so many bytes of the log.' },
  orphanDependents: { type: 'boolean', description: 'Superseded by propagationPolicy.' },
  path: { type: 'string', description: 'The path to ask for.' },
  ports: { type: 'integer', description: 'The ports to forward.' },
  pretty: { type: 'string', description: 'Whether the answer is indented.' },
  previous: { type: 'boolean', description: 'The log of the container that ran before.' },
  propagationPolicy: { type: 'string', description: 'What becomes of dependents: Orphan, Background or Foreground.' },
  resourceVersion: { type: 'string', description: 'The revision to read at, or from.' },
  resourceVersionMatch: { type: 'string', description: 'How resourceVersion is meant: Exact or NotOlderThan.' },
  sendInitialEvents: { type: 'boolean', description: 'Whether a watch begins with all objects.' },
  shardSelector: { type: 'string', description: 'Only objects of this shard.' },
  sinceSeconds: { type: 'integer', description: 'Only what was logged in so many seconds.' },
  stderr: { type: 'boolean', description: 'Whether to open the error output.' },
  stdin: { type: 'boolean', description: 'Whether to open the input.' },
  stdout: { type: 'boolean', description: 'Whether to open the output.' },
  stream: { type: 'string', description: 'Which output: All, Stdout or Stderr.' },
  tailLines: { type: 'integer', description: 'Only so many lines from the end.' },
  timeoutSeconds: { type: 'integer', description: 'Ends the call after so many seconds.' },
  timestamps: { type: 'boolean', description: 'Whether each line begins with its time.' },
  tty: { type: 'boolean', description: 'Whether to open a terminal.' },
  watch: { type: 'boolean', description: 'Sends changes as they happen.' },
  namespace: { type: 'string', description: 'The namespace of the object.' },
  name: { type: 'string', description: 'The name of the object.' },
}
