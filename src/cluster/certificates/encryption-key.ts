import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes sure that a cluster has an EncryptionConfiguration, which encrypts Secrets with a key of the cluster's own. One that is there stays as
 * it is: whoever runs the cluster may rotate keys, or encrypt more. What was stored before there was one is still read.
 */
export function ensureEncryptionConfiguration(file: string): void {
  if (existsSync(file)) return
  writeDurably(
    file,
    `# How this cluster encrypts what it stores: docs/how-to/encrypt-at-rest.md. Without this file its Secrets cannot be read: keep a copy,
# elsewhere than the backups of the store. A change is taken up while the cluster runs.
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources:
      - secrets
    providers:
      - secretbox:
          keys:
            - name: key1
              secret: ${randomBytes(32).toString('base64')}
      - identity: {}
`,
  )
}

/** Whatever is encrypted with the key is lost with it: it has to be on disk before it is used. */
function writeDurably(file: string, text: string): void {
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  const written = openSync(draft, 'wx', 0o600)
  try {
    writeSync(written, text)
    fsyncSync(written)
  } finally {
    closeSync(written)
  }
  renameSync(draft, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
