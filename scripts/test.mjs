// `npm test`: sets up what is missing, then runs every suite to its end, and fails if any of them did. Each suite
// closes with a line of its own: `unit: 12 passed, 0 failed, 1 skipped`.
//   npm test               everything
//   npm test -- unit e2e   only these suites: check, unit, integration, e2e
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureDebianPackages,
  ensureNodeModules,
  packagesToRun,
  packagesToTest,
  requireNode,
  root,
  SetupError,
} from './setup.mjs';

const suites = ['check', 'unit', 'integration', 'e2e'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown suite ${unknown.join(', ')}: choose from ${suites.join(', ')}`);
  process.exit(2);
}

try {
  requireNode();
  ensureDebianPackages([...packagesToRun, ...packagesToTest]);
  ensureNodeModules();
  ensureBuild();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\nSet-up stopped: ${error.message}`);
  process.exit(1);
}

const results = join(root, 'test-results');
mkdirSync(results, { recursive: true });

/** Runs one vitest project; answers its counts. A run without a report is one failure: it must never look like a pass. */
function runVitest(suite) {
  const report = join(results, `${suite}.json`);
  rmSync(report, { force: true });
  const args = ['vitest', 'run', '--project', suite, '--reporter=default', '--reporter=json'];
  const { status } = spawnSync('npx', [...args, `--outputFile.json=${report}`], { cwd: root, stdio: 'inherit' });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, names: [] };
  const json = JSON.parse(readFileSync(report, 'utf8'));
  const failedSuites = json.numFailedTests === 0 && status !== 0 ? 1 : 0;
  const skippedNames = json.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
    .map((test) => test.fullName);
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + failedSuites,
    skipped: skippedNames.length,
    names: skippedNames,
  };
}

function runCheck() {
  const { status } = spawnSync('npm', ['run', '--silent', 'check'], { cwd: root, stdio: 'inherit' });
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, names: [] };
}

const lines = [];
let failed = 0;
for (const suite of suites.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const started = Date.now();
  console.log(`\n== ${suite} ==`);
  const counts = suite === 'check' ? runCheck() : runVitest(suite);
  failed += counts.failed;
  for (const name of counts.names) console.log(`skipped: ${name}`);
  console.log(`${suite} took ${Math.round((Date.now() - started) / 1000)} s`);
  lines.push(`${suite}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}
console.log(`\n${lines.join('\n')}`);
process.exitCode = failed === 0 ? 0 : 1;
