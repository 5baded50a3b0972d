import { existsSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { findContainerd } from '../containerd/containerd-processes.ts'
import { readAllocation } from '../layout/data-directory.ts'
import { type ClusterLayout, layoutOf, type NodeLayout } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'
import { type ClusterFlags, clusterOf, outputOption, progressOf, type Verb, type VerbContext, withClusterFlags } from './verb.ts'

interface BuildFlags extends ClusterFlags {
  readonly tag: string
  readonly from: string
  readonly into: string
  readonly entrypoint?: string[]
  readonly cmd?: string[]
  readonly env?: string[]
  readonly workdir?: string
  readonly user?: string
  readonly file?: string
}

export const imageVerb: Verb = context => {
  const image = new Command('image').description("Bring images to the cluster's nodes without a registry.")
  image.addCommand(
    withClusterFlags(new Command('load'))
      .description('Load OCI or docker archives (docker save, skopeo copy … oci-archive:) into every node.')
      .argument('<archive...>')
      .action((archives: string[], flags: ClusterFlags) => load(archives, flags, context)),
  )
  image.addCommand(
    withClusterFlags(new Command('build'))
      .description('Make an image of a folder of files and load it into every node.')
      .argument('<folder>')
      .requiredOption('-t, --tag <reference>', 'name of the image, such as example.com/web:1')
      .option('--from <base>', 'what lies below the files: scratch, busybox or node', 'busybox')
      .option('--into <path>', 'where in the image the files go', '/')
      .option('--entrypoint <command>', 'the program and its first arguments: words, or a JSON array', words)
      .option('--cmd <command>', 'default arguments: words, or a JSON array', words)
      .option('--env <NAME=value>', 'environment variable; may be repeated', (value: string, before: string[] | undefined) => [
        ...(before ?? []),
        value,
      ])
      .option('--workdir <path>', 'working directory')
      .option('--user <user>', 'user, by number or name')
      .option('--file <archive>', 'write the archive here and load it nowhere')
      .action((folder: string, flags: BuildFlags) => build(folder, flags, context)),
  )
  image.addCommand(
    withClusterFlags(new Command('ls'))
      .description('List the images on the nodes.')
      .addOption(outputOption('for programs'))
      .action((flags: ClusterFlags & { output?: string }) => list(flags, context)),
  )
  image.addCommand(
    withClusterFlags(new Command('registry'))
      .description('Tell the nodes how to reach a registry; one on this machine (localhost:<port>) is reached over plain HTTP.')
      .argument('<host>', 'as image names have it, such as localhost:5001 or registry.example.com')
      .option('--url <url>', 'where it really is, such as http://10.0.0.5:5000')
      .action((host: string, flags: ClusterFlags & { url?: string }) => registry(host, flags, context)),
  )
  return image
}

async function registry(host: string, flags: ClusterFlags & { url?: string }, context: VerbContext): Promise<void> {
  const [{ addRegistry }, { ensureNetwork }] = await Promise.all([import('../images/registries.ts'), import('../network/network.ts')])
  const layout = layoutFor(flags, context)
  runningNodes(layout)
  addRegistry(layout, host, flags.url)
  await ensureNetwork(layout, context.signal)
}

async function load(archives: readonly string[], flags: ClusterFlags, context: VerbContext): Promise<void> {
  const layout = layoutFor(flags, context)
  const missing = archives.find(file => !existsSync(file) || !statSync(file).isFile())
  if (missing) throw new SetupError(`There is no file ${missing}`, 'name an archive made by "docker save" or "t8s image build --file"')
  const nodes = runningNodes(layout)
  const [{ loadArchive }, { keepArchive }] = await Promise.all([import('../images/load.ts'), import('../images/image-store.ts')])
  const progress = progressOf(undefined, context)
  for (const file of archives) {
    await progress.step(`load ${file}`, async note => {
      const [images] = await Promise.all(nodes.map(node => loadArchive(node, resolve(file), context.signal)))
      keepArchive(layout, resolve(file)) // for nodes that come later
      note((images ?? []).map(image => image.reference).join(', '))
    })
  }
}

async function build(folder: string, flags: BuildFlags, context: VerbContext): Promise<void> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new SetupError(`There is no folder ${folder}`, 'name the folder whose files the image is to hold')
  const [{ buildImage }, { baseLayers, fullReference }, { filesOfFolder }] = await Promise.all([
    import('../images/archive.ts'),
    import('../images/builtin.ts'),
    import('../images/folder.ts'),
  ])
  const layout = flags.file === undefined ? layoutFor(flags, context) : undefined
  const file = flags.file ?? join(layout!.imagesDir, `build.${process.pid}.tar`)
  const { findPrograms } = await import('../machine/facts.ts')
  const busybox = findPrograms(['busybox']).get('busybox') ?? '/bin/busybox'
  const description = {
    reference: fullReference(flags.tag),
    layers: [...(await baseLayers(flags.from, busybox)), filesOfFolder(folder, flags.into)],
    ...(flags.entrypoint && { entrypoint: flags.entrypoint }),
    ...(flags.cmd && { command: flags.cmd }),
    ...(flags.env && { environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...flags.env] }),
    ...(flags.workdir && { workingDirectory: flags.workdir }),
    ...(flags.user && { user: flags.user }),
  }
  const built = await progressOf(undefined, context).step(`build ${description.reference}`, () => buildImage(description, file))
  context.stdout.write(`${built.reference}@${built.manifestDigest}\n`)
  if (!layout) return
  await load([file], flags, context)
  rmSync(file, { force: true })
}

/** A command as Dockerfiles have it: `["sh", "-c", "exit 1"]`, or just words. */
function words(text: string): string[] {
  if (!text.trimStart().startsWith('[')) return text.split(/\s+/).filter(Boolean)
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed) && parsed.every(word => typeof word === 'string')) return parsed
  } catch {
    // says the same as a list of something else
  }
  throw new InvalidArgumentError('It must be words, or a JSON array of strings.')
}

async function list(flags: ClusterFlags & { output?: string }, context: VerbContext): Promise<void> {
  const nodes = runningNodes(layoutFor(flags, context))
  const { withNodeCri } = await import('../containerd/node-cri.ts')
  const found = await Promise.all(nodes.map(node => withNodeCri(node, async runtime => ({ node, images: await runtime.listImages() }))))
  const rows = new Map<string, { reference: string; id: string; sizeBytes: number; nodes: string[] }>()
  for (const { node, images } of found) {
    for (const image of images) {
      for (const reference of image.repoTags.length > 0 ? image.repoTags : image.repoDigests) {
        const row = rows.get(`${reference} ${image.id}`) ?? { reference, id: image.id, sizeBytes: image.sizeBytes, nodes: [] }
        row.nodes.push(node.name)
        rows.set(`${reference} ${image.id}`, row)
      }
    }
  }
  const sorted = [...rows.values()].sort((left, right) => (left.reference < right.reference ? -1 : 1))
  if (flags.output === 'json') {
    context.stdout.write(`${JSON.stringify(sorted, null, 2)}\n`)
    return
  }
  const cells = [
    ['IMAGE', 'ID', 'SIZE', 'NODES'],
    ...sorted.map(row => [row.reference, row.id.slice(7, 19), size(row.sizeBytes), row.nodes.join(',')]),
  ]
  const widths = [0, 1, 2].map(column => Math.max(...cells.map(row => row[column]!.length)))
  context.stdout.write(
    cells
      .map(
        row =>
          `${row
            .map((cell, column) => cell.padEnd(widths[column] ?? 0))
            .join('   ')
            .trimEnd()}\n`,
      )
      .join(''),
  )
}

function layoutFor(flags: ClusterFlags, context: VerbContext): ClusterLayout {
  const where = clusterOf(flags, context)
  const allocation = readAllocation(where.dataDir)
  if (!allocation) throw new SetupError(`There is no cluster in ${where.dataDir}`, 'run "t8s up", or name one with --name or --data-dir')
  return layoutOf(allocation, where.dataDir)
}

function runningNodes(layout: ClusterLayout): readonly NodeLayout[] {
  const nodes = layout.nodes.filter(node => findContainerd(node))
  if (nodes.length === 0) throw new SetupError(`No node of the cluster "${layout.name}" runs`, 'run "t8s up" first')
  return nodes
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)}kB` : `${(bytes / 1_000_000).toFixed(1)}MB`
}
