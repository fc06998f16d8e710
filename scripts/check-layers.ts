// The layering rule and the file-size rule, as `docs/decisions/0001-layers.md` states them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const belowServices = 'kit api contract store client apiserver controllers scheduler machines'.split(' ');
const allowed: Record<string, readonly string[]> = {
  kit: [],
  api: ['kit'],
  contract: ['kit', 'api'],
  store: ['kit'],
  client: ['kit', 'api'],
  apiserver: ['kit', 'api', 'store', 'client'],
  controllers: ['kit', 'api', 'client'],
  scheduler: ['kit', 'api', 'client'],
  machines: ['kit'],
  agents: ['kit', 'api', 'client'],
  services: belowServices,
  hosts: [...belowServices, 'agents', 'services'],
  testkit: [...belowServices, 'services'],
};
/** Packages that only these folders may import. */
const packageHomes: Record<string, readonly string[]> = {
  electron: ['src-main/hosts/desktop'],
  lmdb: ['src-main/store'],
  ssh2: ['src-main/machines'],
  dockerode: ['src-main/agents/kubelet', 'src-main/machines'],
};
const pure = new Set(['kit', 'api', 'contract']);
const rendererRank: Record<string, number> = { app: 4, features: 3, stores: 2, rpc: 1, widgets: 2 };
const maxLines = 500;
const maxVueLines = 250;

const problems: string[] = [];

function filesBelow(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    if (name === 'generated' || name === 'node_modules') return [];
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesBelow(path) : /\.(ts|mts|vue)$/.test(name) ? [path] : [];
  });
}

function importsOf(text: string): string[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => (match[1] ?? match[2])!);
}

function checkPackage(file: string, folder: string, specifier: string): void {
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
  const homes = packageHomes[name];
  if (homes && !homes.some((home) => file.startsWith(`${home}/`))) {
    problems.push(`${file}: ${name} may be imported only in ${homes.join(', ')}`);
  }
  const isTest = file.includes('.test.ts');
  if (pure.has(folder) && !isTest && (specifier.startsWith('node:') || name === 'electron')) {
    problems.push(`${file}: ${folder} is pure and may not import ${specifier}`);
  }
}

function checkMain(file: string, text: string): void {
  const folder = file.split('/')[1]!;
  for (const specifier of importsOf(text)) {
    if (!specifier.startsWith('.')) {
      checkPackage(file, folder, specifier);
      continue;
    }
    const target = relative(root, resolve(root, dirname(file), specifier));
    const parts = target.split('/');
    if (parts[0] !== 'src-main') {
      if (!target.startsWith('resources/')) problems.push(`${file}: imports ${target} outside src-main`);
      continue;
    }
    const targetFolder = parts[1]!;
    if (targetFolder === folder) continue;
    if (targetFolder === 'testkit' && file.endsWith('.test.ts')) continue;
    // The whole is put together only in tests; these may see every folder.
    const mayImport = file.endsWith('.integration.test.ts') ? Object.keys(allowed) : (allowed[folder] ?? []);
    if (!mayImport.includes(targetFolder)) problems.push(`${file}: ${folder} may not import ${targetFolder}`);
    else if (parts.length > 2 && parts[2] !== 'index' && folder !== 'hosts') {
      problems.push(`${file}: import ${targetFolder} by its index, not ${target}`);
    }
  }
}

function checkRenderer(file: string, text: string): void {
  const [, folder, feature] = file.split('/');
  for (const specifier of importsOf(text)) {
    if (!specifier.startsWith('.')) {
      if (specifier.startsWith('node:') || specifier === 'electron')
        problems.push(`${file}: may not import ${specifier}`);
      continue;
    }
    const parts = relative(root, resolve(root, dirname(file), specifier)).split('/');
    if (parts[0] === 'src-main') {
      if (!pure.has(parts[1]!)) problems.push(`${file}: the window may not import ${parts.slice(0, 2).join('/')}`);
      continue;
    }
    if (parts[0] !== 'src-renderer' || parts[1] === folder) {
      if (folder === 'features' && parts[1] === 'features' && parts[2] !== feature) {
        problems.push(`${file}: features never import each other (${parts[2]})`);
      }
      continue;
    }
    const from = rendererRank[folder!];
    const to = rendererRank[parts[1]!];
    if (from !== undefined && to !== undefined && to >= from && file.split('/').length > 2) {
      problems.push(`${file}: ${folder} may not import ${parts[1]}`);
    }
  }
}

function checkSize(file: string, text: string): void {
  const lines = text.split('\n').length - 1;
  const limit = file.endsWith('.vue') ? maxVueLines : maxLines;
  if (lines > limit) problems.push(`${file}: ${lines} lines, at most ${limit}`);
}

for (const folder of ['src-main', 'src-renderer', 'e2e', 'scripts']) {
  for (const path of filesBelow(join(root, folder))) {
    const file = relative(root, path);
    const text = readFileSync(path, 'utf8');
    checkSize(file, text);
    if (folder === 'src-main') checkMain(file, text);
    if (folder === 'src-renderer') checkRenderer(file, text);
  }
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'layers: ok' : `layers: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
