// Bundles the programs that run inside nodes to single files: out/agents/kubelet.mjs and kube-proxy.mjs. A node has
// nothing but Debian's Node, and every millisecond of start-up counts under emulation, so bundles are kept small.

import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Plugin, build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const out = join(root, 'out', 'agents');

/** What dockerode can do besides talking to a socket, which no agent uses: SSH, BuildKit sessions, folder archives. */
const unused = [
  'ssh2',
  'cpu-features',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  'protobufjs',
  'tar-fs',
  '@balena/dockerignore',
];

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup(setup) {
    const filter = new RegExp(`^(${unused.map((name) => name.replace(/[/@-]/g, '\\$&')).join('|')})$`);
    setup.onResolve({ filter }, ({ path }) => ({ path, namespace: 'unused' }));
    setup.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

const banner = `import { createRequire as pilothouseRequire } from 'node:module';
const require = pilothouseRequire(import.meta.url);
const __dirname = import.meta.dirname, __filename = import.meta.filename;`;

mkdirSync(out, { recursive: true });
await build({
  entryPoints: {
    kubelet: join(root, 'src-main/agents/kubelet/main.ts'),
    'kube-proxy': join(root, 'src-main/agents/proxy/main.ts'),
  },
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  keepNames: true,
  sourcemap: 'external',
  banner: { js: banner },
  plugins: [withoutUnused],
  logLevel: 'warning',
});
for (const name of ['kubelet.mjs', 'kube-proxy.mjs']) {
  console.log(`out/agents/${name}: ${Math.round(statSync(join(out, name)).size / 1024)} KiB`);
}
