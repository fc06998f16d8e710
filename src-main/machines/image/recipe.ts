// The recipe of the node image: the files under resources/node-image. Its hash names the built image, so a changed recipe
// is a new image and an unchanged one is built once for all clusters.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PilothouseError } from '../../kit';

export interface Recipe {
  directory: string;
  hash: string;
  packages: string[];
}

/** Changed when the way of building (not the recipe's files) gives another image. */
const builderVersion = '1';

/** The non-empty, non-comment lines of a list file. */
export function listLines(text: string): string[] {
  return text.split('\n').flatMap((line) => line.replace(/#.*$/, '').trim() || []);
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

export async function readRecipe(directory: string): Promise<Recipe> {
  const hash = createHash('sha256').update(builderVersion);
  const all = (await filesBelow(directory)).map((path) => ({ path, name: relative(directory, path) }));
  const files = all.filter(({ name }) => !name.endsWith('.md'));
  for (const { path, name } of files.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`\0${name}\0`).update(await readFile(path));
  }
  const packages = listLines(await readFile(join(directory, 'packages.txt'), 'utf8'));
  return { directory, hash: hash.digest('hex').slice(0, 16), packages };
}

/** Finds resources/node-image above this file, in a checkout as in a bundle. */
export function defaultRecipeDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(directory, 'resources', 'node-image');
    if (existsSync(candidate)) return candidate;
    const parent = dirname(directory);
    if (parent === directory) break;
    directory = parent;
  }
  throw new PilothouseError({
    code: 'RECIPE_MISSING',
    message: 'the folder resources/node-image is not beside this program',
    hint: 'Reinstall Pilothouse, or run it from a complete checkout.',
  });
}
