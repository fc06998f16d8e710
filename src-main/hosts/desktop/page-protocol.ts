// `pilothouse://window/`: the built window's files under a scheme of our own, so that the page has a real origin, a
// strict policy, and no way to any other file.

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { contentSecurityPolicy, contentTypeOf, findFile } from '../headless/static-files';

export const pageScheme = 'pilothouse';
export const pageOrigin = `${pageScheme}://window/`;

/** The answer to a request of the page, from the folder `root`. */
export async function answerPage(root: string, url: string): Promise<Response> {
  const { host, pathname } = new URL(url);
  const file =
    host === 'window' ? await findFile(root, extname(pathname) === '' ? '/index.html' : pathname) : undefined;
  if (!file) return new Response('not found', { status: 404 });
  return new Response(new Uint8Array(await readFile(file.path)), {
    headers: {
      'content-type': contentTypeOf(file.path),
      'content-security-policy': contentSecurityPolicy([]),
      'x-content-type-options': 'nosniff',
    },
  });
}
