// Runs everything that must pass: ./t8s test [--unit]
//
// Build, type check, formatter and linters, unit tests (the house rules among them), then the suites that need root, containers and
// ports. Ends with a table of what took how long and the sums of all tests. --unit leaves the last part out.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const results = mkdtempSync(join(tmpdir(), 't8s-test-'))
const onlyUnit = process.argv.includes('--unit')
const environment = { ...process.env }
const oracle = join(root, '../shared/oracle')
if (!environment.T8S_ORACLE && existsSync(oracle)) environment.T8S_ORACLE = oracle

const npmBin = name => join(root, 'node_modules/.bin', name)
const vitest = (name, ...args) => [
  npmBin('vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(results, name)}`,
  ...args,
]

const steps = [
  { name: 'build', command: [process.execPath, 'tools/build.mjs'] },
  { name: 'types', command: [npmBin('tsc'), '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'format and lint', command: [npmBin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'promises and types in use', command: [npmBin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'unit tests', command: vitest('unit.json'), report: 'unit.json' },
  {
    name: 'integration tests',
    command: vitest('integration.json', '-c', 'vitest.integration.config.ts'),
    report: 'integration.json',
    whole: true,
  },
].filter(step => !(onlyUnit && step.whole))

const started = performance.now()
const outcomes = []
for (const step of steps) {
  console.log(`\n── ${step.name}`)
  const before = performance.now()
  const passed = await run(step.command)
  outcomes.push({ ...step, passed, seconds: (performance.now() - before) / 1000 })
}

console.log('\n── all together')
const width = Math.max(...outcomes.map(outcome => outcome.name.length))
for (const { name, passed, seconds } of outcomes)
  console.log(` ${passed ? '✓' : '✗'} ${name.padEnd(width)} ${seconds.toFixed(1).padStart(7)} s`)
if (onlyUnit) console.log(' - integration tests were left out (--unit)')
if (!environment.T8S_ORACLE) console.log(' ! T8S_ORACLE is not set and ../shared/oracle is absent: 0 recorded cases were replayed')
console.log(sums())
rmSync(results, { recursive: true, force: true })
process.exitCode = outcomes.every(outcome => outcome.passed) ? 0 : 1

function run([command, ...args]) {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: root, env: environment, stdio: 'inherit' })
    child.on('error', error => {
      console.error(String(error))
      resolve(false)
    })
    child.on('close', code => resolve(code === 0))
  })
}

/** The closing lines of all test runs as one, as Vitest prints them. */
function sums() {
  const reports = outcomes.flatMap(outcome => {
    const file = outcome.report && join(results, outcome.report)
    return file && existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : []
  })
  const files = reports.flatMap(report => report.testResults.map(result => result.status))
  const count = (name, label) => {
    const number = reports.reduce((sum, report) => sum + report[name], 0)
    return number > 0 ? [`${number} ${label}`] : []
  }
  const line = (title, parts, total) => `${title.padStart(11)}  ${parts.join(' | ') || 'no tests'} (${total})`
  const fileParts = ['failed', 'passed'].flatMap(status => {
    const number = files.filter(found => found === status).length
    return number > 0 ? [`${number} ${status}`] : []
  })
  const testParts = [...count('numFailedTests', 'failed'), ...count('numPassedTests', 'passed'), ...count('numPendingTests', 'skipped')]
  const total = reports.reduce((sum, report) => sum + report.numTotalTests, 0)
  const seconds = ((performance.now() - started) / 1000).toFixed(2)
  return `\n${line('Test Files', fileParts, files.length)}\n${line('Tests', testParts, total)}\n${'Duration'.padStart(11)}  ${seconds}s`
}
