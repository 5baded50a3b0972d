/**
 * What one pod of about 3 KB costs on its way through the codecs: `node tools/bench.mjs codec`. One core, medians of batches, µs per pod.
 */
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { readJson } from '#machinery/codec/json/parse-json.ts'
import { decodeProtobuf, encodeProtobuf, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import { decode } from '#machinery/schema/decode.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { Pod } from '../src/kinds/core/v1/pod.ts'
import { contextAt } from '../src/kinds/stored.fixture.ts'

const BATCH = 500
const BATCHES = 21

const env = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `VARIABLE_${index}`, value: `value number ${index}` }))
const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 5 }
const container = (name: string) => ({
  name,
  image: `registry.example.com/team/${name}:1.2.3`,
  env: env(12),
  ports: [{ name: 'http', containerPort: 8080 }],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
  volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  readinessProbe: probe,
  livenessProbe: probe,
})
const sent = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'default', labels: { app: 'web', tier: 'front' }, annotations: { note: 'x'.repeat(120) } },
  spec: { containers: [container('web'), container('sidecar')], volumes: [{ name: 'config', configMap: { name: 'web' } }] },
})

const decoded = () => {
  const object = decode<Record<string, unknown>>(Pod.schema, readJson(sent).value, { defaults: true, unknown: [] })
  Pod.hooks.applyDefaults?.(object as never)
  return object
}
const pod = decoded()
const parsed = readJson(sent).value
const context = contextAt(0)
const bytes = encodeProtobuf('v1', 'Pod', Pod.schema, pod)

console.log(`a pod of ${sent.length} bytes as it is sent, ${encodeJson(pod).length} as it is stored`)
row('read JSON', () => readJson(sent))
row('read JSON, decode, fill in defaults', decoded)
row('validate', () => Pod.hooks.validate?.(pod as never, new FieldErrors(), context))
row('encode JSON', () => encodeJson(pod))
row('encode protobuf', () => encodeProtobuf('v1', 'Pod', Pod.schema, pod))
row('decode protobuf', () => decodeProtobuf(openEnvelope(bytes), Pod.schema))
row('defaults + validation + encoding (goal ≤ 100)', () => {
  const object = decode<Record<string, unknown>>(Pod.schema, parsed, { defaults: true, unknown: [] })
  Pod.hooks.applyDefaults?.(object as never)
  Pod.hooks.validate?.(object as never, new FieldErrors(), context)
  return encodeJson(object)
})

function row(what: string, once: () => unknown): void {
  for (let run = 0; run < 2_000; run++) once()
  const times = Array.from({ length: BATCHES }, () => {
    const before = performance.now()
    for (let run = 0; run < BATCH; run++) once()
    return ((performance.now() - before) * 1000) / BATCH
  }).sort((a, b) => a - b)
  console.log(`${what.padEnd(50)} ${times[Math.floor(BATCHES / 2)]!.toFixed(1).padStart(8)} µs`)
}
